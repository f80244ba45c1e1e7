"""Turns for a question about anything that was said: how informative and how new they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.snapshot import Snapshot

Floats = NDArray[np.float64]

TELLING_TERMS = 8
"""Number of terms at which a turn is half as informative as one can be. Chosen."""

NEW_TURNS = 20
"""A turn that lies this many turns before the newest one counts as half as new. Chosen."""


def worth(turns: Snapshot, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return how informative and how new each chosen turn is, 0 to 1; 0 for the others.

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
