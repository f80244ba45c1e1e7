"""Tokens that a base writes after what a cache holds: the likeliest one each time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig

from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.passes import reading_pass


def continued(adapter: Adapter, cache: Any, ids: Tensor, most: int, least: int = 0) -> Tensor:
    """Tokens after a prompt.

    Args:
        adapter: With its base, whose own settings say what ends a text.
        cache: Of memory tokens, or empty.
        ids: The prompt, ``(batch, length)``.
        most: Tokens to write, unless the text ends before.
        least: Tokens before which it does not end.

    Returns:
        ``(batch, at most most)``.
    """
    seen = cache.get_seq_length() + ids.shape[1]
    config = GenerationConfig(
        max_new_tokens=most,
        min_new_tokens=least,
        do_sample=False,
        num_beams=1,
        pad_token_id=0,  # of rows that end early; transformers warns where none is named
    )
    written: Tensor = adapter.base.generate(
        ids,
        attention_mask=torch.ones(len(ids), seen, dtype=torch.long, device=ids.device),
        past_key_values=cache,
        generation_config=config,
    )
    return written[:, ids.shape[1] :]


def rebuilt(adapter: Adapter, cache: Any, count: int) -> Tensor:
    """The text that memory tokens stand for, as the base guesses it.

    Args:
        adapter: With its base and the cue.
        cache: Of one block of memory tokens for each row.
        count: Tokens of the text.

    Returns:
        ``(batch, count)``.
    """
    rows = cache.layers[0].keys.shape[0]
    none = torch.empty(rows, 0, dtype=torch.long, device=adapter.base.device)
    first = reading_pass(adapter, cache, none, adapter.cue)[:, -1].argmax(-1, keepdim=True)
    if count == 1:
        return first
    rest = continued(adapter, cache, first, count - 1, count - 1)
    return torch.cat([first, rest], dim=1)
