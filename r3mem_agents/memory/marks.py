"""Marks of a scope's turns, as a lookup asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.store import Mark
from r3mem_agents.timestamps import EVER_US


def among(ids: NDArray[np.int64], some: Sequence[int]) -> NDArray[np.bool_]:
    """Return which ids are among some others, mostly none; at once then."""
    return np.isin(ids, some) if some else np.zeros(len(ids), bool)


class Marks:
    """What is special about the turns of a scope.

    Attributes:
        pinned: Ids of the pinned turns.
    """

    def __init__(self) -> None:
        self.pinned: set[int] = set()
        self._expiries: dict[int, int] = {}
        self._earlier: dict[int, Mark] = {}
        self._first = EVER_US

    def update(self, marks: Mapping[int, Mark]) -> None:
        """Add marks of turns that had none here, by their ids."""
        for turn, mark in marks.items():
            if mark.version_of is not None:
                self._earlier[turn] = mark
            elif mark.pinned:
                self.pinned.add(turn)
            elif mark.expires_us is not None:
                self._expiries[turn] = mark.expires_us
                self._first = min(self._first, mark.expires_us)

    def expired(self, now_us: int) -> list[int]:
        """Return the ids of the turns that have expired at a time."""
        if now_us < self._first:  # as nearly always, and then no turn is looked at
            return []
        return [turn for turn, expires in self._expiries.items() if expires <= now_us]

    def are_earlier(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some rows are earlier texts of turns."""
        return among(ids, [*self._earlier])

    def held(self, as_of_us: int) -> dict[int, int]:
        """Return which earlier texts held at a time, by the ids of the turns that had them."""
        held: dict[int, int] = {}
        until: dict[int, int] = {}
        for row, mark in self._earlier.items():
            turn, replaced = mark.version_of, mark.replaced_us
            if turn is None or replaced is None or replaced <= as_of_us:
                continue
            if replaced < until.get(turn, EVER_US):
                held[turn], until[turn] = row, replaced
        return held
