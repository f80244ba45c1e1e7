"""Which blocks are folded into one, so that a state stays within its bound."""

from __future__ import annotations

from collections.abc import Sequence

from r3mem_agents.latent.state import Level

FOLD = 4
"""Blocks that are folded into one; chosen."""

LEAST_CAPACITY = (FOLD - 1) * len(Level) + 1
"""Of so many blocks, some level has ``FOLD``."""


def to_fold(levels: Sequence[Level]) -> list[int]:
    """Places of the oldest ``FOLD`` blocks of the lowest level that has so many.

    Args:
        levels: Of the blocks, oldest first; at least ``LEAST_CAPACITY``.
    """
    for level in Level:
        places = [place for place, found in enumerate(levels) if found is level]
        if len(places) >= FOLD:
            return places[:FOLD]
    raise AssertionError(f"{len(levels)} blocks, and no level with {FOLD}")
