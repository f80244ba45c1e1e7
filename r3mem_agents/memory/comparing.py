"""Which turns supersede others: the few that a lookup asks about are expanded and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.index import Snapshot
from r3mem_agents.lookup.superseding import Compare

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

Texts = Callable[[Sequence[int]], Mapping[int, str]]
"""Texts of turns by their ids; of what is damaged or was forgotten there is none."""


class Comparing:
    """Compares turns by a model.

    Args:
        model: Has a network that compares turns.
        texts: Where they are read.
    """

    def __init__(self, model: ReversibleModel, texts: Texts) -> None:
        self._model, self._texts = model, texts

    def __call__(self, turns: Snapshot, wanted: NDArray[np.intp]) -> Compare:
        """What compares turns of a snapshot.

        Args:
            turns: The snapshot.
            wanted: Positions of turns whose texts will be asked for soon: they are expanded in the
                same passes.
        """

        def compare(pairs: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
            ids = [(int(turns.ids[older]), int(turns.ids[newer])) for older, newer in pairs]
            more = turns.ids[wanted].tolist()
            texts = self._texts(sorted({*more, *(one for pair in ids for one in pair)}))
            there = [row for row, pair in enumerate(ids) if all(one in texts for one in pair)]
            odds = np.full(len(pairs), -np.inf)
            odds[there] = self._model.supersedes(
                [(texts[older], texts[newer]) for older, newer in (ids[row] for row in there)]
            )
            return odds

        return compare
