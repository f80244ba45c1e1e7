"""Tokens that a base writes after what a cache holds: the likeliest one each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.passes import reading_pass


def continued(
    adapter: Adapter,
    cache: Any,
    ids: Tensor,
    most: int,
    least: int = 0,
    also_ends: Sequence[int] = (),
) -> Tensor:
    """Tokens after a prompt.

    Args:
        adapter: With its base, whose own settings say what ends a text, and nothing else.
        cache: Of memory tokens, or empty.
        ids: The prompt, ``(batch, length)``.
        most: Tokens to write, unless all texts end before.
        least: Tokens before which it does not end.
        also_ends: Tokens that end a text, beside those of the base's settings.

    Returns:
        ``(batch, at most most)``.
    """
    ends = _ends(adapter, also_ends)
    ended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    written: list[Tensor] = []
    while len(written) < most and not ended.all():
        read = written[-1] if written else ids
        logits = adapter.base(
            input_ids=read, past_key_values=cache, use_cache=True, logits_to_keep=1
        ).logits[:, -1]
        if len(written) < least:
            logits[:, ends] = -torch.inf
        written.append(logits.argmax(-1, keepdim=True))
        ended |= torch.isin(written[-1][:, 0], ends)
    return torch.cat(written, dim=1)


def _ends(adapter: Adapter, also: Sequence[int]) -> Tensor:
    """Tokens that end a text: the one setting of the base that its likeliest text depends on."""
    ends = adapter.base.generation_config.eos_token_id
    several = ends if isinstance(ends, list) else [] if ends is None else [ends]
    return torch.tensor([*several, *also], dtype=torch.long, device=adapter.base.device)


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
