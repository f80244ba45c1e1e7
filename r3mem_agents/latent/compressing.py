"""Blocks of memory tokens, of a segment or of other blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from r3mem_agents.latent.adapter import Adapter
from r3mem_agents.latent.folding import to_fold
from r3mem_agents.latent.passes import assemble, memory_pass, segment_pass
from r3mem_agents.latent.state import Block, Level


def cache_of(adapter: Adapter, blocks: Sequence[Block]) -> Any:
    """A cache that holds blocks, one after the other."""
    return assemble(adapter, [block.layers for block in blocks])


def compressed(adapter: Adapter, ids: list[int]) -> Block:
    """The block of a segment.

    Args:
        adapter: With its base.
        ids: Tokens of the segment.
    """
    held = torch.tensor([ids], device=adapter.base.device)
    cache, surprise = segment_pass(adapter, held)
    return _block(adapter, Level.ENTITY, len(ids), cache, held, surprise)


def folded(adapter: Adapter, blocks: Sequence[Block]) -> list[Block]:
    """The same blocks, but for some older ones, in whose place there is one.

    Args:
        adapter: With its base.
        blocks: At least ``LEAST_CAPACITY``.
    """
    places = to_fold([block.level for block in blocks])
    older, device = [blocks[place] for place in places], adapter.base.device
    one = _block(
        adapter,
        older[0].level.above,
        sum(block.source_tokens for block in older),
        cache_of(adapter, older),
        torch.cat([block.ids.to(device) for block in older], dim=1),
        torch.cat([block.surprise.to(device) for block in older], dim=1),
    )
    return [
        one if place == places[-1] else block
        for place, block in enumerate(blocks)
        if place not in places[:-1]
    ]


def _block(
    adapter: Adapter, level: Level, source: int, cache: Any, ids: Tensor, surprise: Tensor
) -> Block:
    ids, surprise = adapter.most_surprising(ids, surprise)
    layers = memory_pass(adapter, cache, adapter.seeds(ids))
    return Block(level, source, layers, ids, surprise)
