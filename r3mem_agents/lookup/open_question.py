"""Turns for a question that asks for whatever was said: by whom, when, how telling, how new."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.snapshot import Snapshot

Floats = NDArray[np.float64]

TELLING_TERMS = 8
"""Terms of a turn that is half as telling as one can be. Chosen."""

NEW_TURNS = 20
"""So many turns before the newest one a turn is half as new. Chosen."""


def worth(turns: Snapshot, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return how telling and how new each chosen turn is, 0 to 1; 0 for the others.

    Args:
        turns: The turns.
        chosen: The turns that answer, ``(turns,)``.
    """
    telling = np.where(chosen, turns.lengths / (turns.lengths + TELLING_TERMS), 0.0)
    newer = np.zeros(len(chosen))
    places = np.flatnonzero(chosen)
    newest_first = places[np.lexsort((-places, -turns.time_us[places]))]
    newer[newest_first] = np.exp2(-np.arange(len(places)) / NEW_TURNS)
    return telling, newer
