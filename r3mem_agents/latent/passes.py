"""The three passes, on tensors and caches: a segment, its memory tokens, and what reads those.

Each is one call of the base, without a mask of its own. Gradients flow from the third into the
second; callers choose whether they are kept.

Every cache that holds memory tokens begins with the base's sink: a position without text on which
attention can rest, as it does on the first position of whatever a base reads. Without one, memory
tokens are worse than none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.positions import Layers


def segment_pass(adapter: Adapter, ids: Tensor) -> tuple[Any, Tensor]:
    """The base reads segments, after the sink.

    Args:
        adapter: With its base.
        ids: Tokens, ``(batch, length)``.

    Returns:
        A cache of sink and segments, and what each token surprised the base by, in nats,
        ``(batch, length)``; without gradients.
    """
    with torch.no_grad():
        cache = adapter.empty_cache()
        sink = torch.full((len(ids), 1), adapter.sink, device=ids.device)
        read = torch.cat([sink, ids], dim=1)
        logits = adapter.base(input_ids=read, past_key_values=cache, use_cache=True).logits
        surprise = cross_entropy(
            logits[:, :-1].flatten(0, 1).float(), ids.flatten(), reduction="none"
        )
        return cache, surprise.view_as(ids)


def memory_pass(adapter: Adapter, cache: Any, seeds: Tensor) -> Layers:
    """Memory tokens look back at what a cache holds.

    Args:
        adapter: With its base; the only pass in which it acts.
        cache: Of segments, or of memory tokens that are to be folded; it is used up.
        seeds: What the memory tokens start as, ``(batch, tokens, hidden)``: ``Adapter.seeds``.

    Returns:
        Keys and values of the memory tokens, as if they stood at position 0.
    """
    start, count = cache.get_seq_length(), seeds.shape[1]
    with adapter.acting():  # no further than the last layer: what is wanted is in the cache
        adapter.base.base_model(inputs_embeds=seeds, past_key_values=cache, use_cache=True)
    left = tuple((held.keys[:, :, -count:], held.values[:, :, -count:]) for held in cache.layers)
    return adapter.positions.move(left, torch.full((count,), -start))


def assemble(adapter: Adapter, blocks: Sequence[Layers]) -> Any:
    """A cache that holds the sink, and blocks of memory tokens one after the other.

    Args:
        adapter: With its base.
        blocks: Each with the same number of rows, as ``memory_pass`` leaves them; without any, not
            even the sink is there.
    """
    cache = adapter.empty_cache()
    if not blocks:
        return cache
    dtype, device = adapter.base.dtype, adapter.base.device
    rows = blocks[0][0][0].shape[0]
    sink = tuple((k.expand(rows, -1, -1, -1), v.expand(rows, -1, -1, -1)) for k, v in adapter.first)
    parts = [sink, *blocks]
    layers = tuple(
        (
            torch.cat([keys.to(device, dtype) for keys, _ in layer], dim=2),
            torch.cat([values.to(device, dtype) for _, values in layer], dim=2),
        )
        for layer in zip(*parts, strict=True)
    )
    lengths = torch.tensor([part[0][0].shape[2] for part in parts])
    starts = (lengths.cumsum(0) - lengths).repeat_interleave(lengths)
    for index, (keys, values) in enumerate(adapter.positions.move(layers, starts)):
        cache.update(keys, values, index)
    return cache


def reading_pass(
    adapter: Adapter,
    cache: Any,
    ids: Tensor,
    cue: Tensor | None = None,
    *,
    after: Tensor | None = None,
) -> Tensor:
    """The base reads a text after what a cache holds.

    Args:
        adapter: With its base.
        cache: Of memory tokens, or empty; the text is added to it.
        ids: The text, ``(batch, length)``.
        cue: A vector read before the text, ``(hidden,)``.
        after: Which tokens logits are wanted after, ``(batch, length)``; ``None``: all.

    Returns:
        Logits after each token, ``(batch, length, vocabulary)``; with a cue one more in front;
        with ``after`` those alone, ``(wanted, vocabulary)``.
    """
    if cue is None:
        read = {"input_ids": ids}
    else:
        text = adapter.base.get_input_embeddings()(ids)
        first = cue.to(text).expand(len(ids), 1, -1)
        read = {"inputs_embeds": torch.cat([first, text], dim=1)}
    keep = 0 if after is None else after
    out = adapter.base(**read, past_key_values=cache, use_cache=True, logits_to_keep=keep)
    logits: Tensor = out.logits
    return logits
