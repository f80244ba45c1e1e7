"""Which turns supersede others: the few in question are decoded and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.superseding import Pairs

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel


class Comparison:
    """Compares turns by a model.

    Args:
        model: A model with a network that compares turns.
        ids: Turn ids by position.
        texts: Reads the texts of turns by their ids; damaged and forgotten turns are missing.
    """

    def __init__(
        self,
        model: ReversibleModel,
        ids: NDArray[np.int64],
        texts: Callable[[Sequence[int]], Mapping[int, str]],
    ) -> None:
        self._model, self._ids, self._texts = model, ids, texts

    def __call__(self, pairs: Pairs, wanted: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the log-odds that the newer turn of each pair supersedes the older.

        Args:
            pairs: Positions of the turns.
            wanted: Positions of turns whose texts are needed next: they are decoded in the same
                passes.
        """
        ids = [(int(self._ids[older]), int(self._ids[newer])) for older, newer in pairs]
        more = self._ids[wanted].tolist()
        texts = self._texts(sorted({*more, *(one for pair in ids for one in pair)}))
        there = [row for row, pair in enumerate(ids) if all(one in texts for one in pair)]
        odds = np.full(len(pairs), -np.inf)
        odds[there] = self._model.supersedes(
            [(texts[older], texts[newer]) for older, newer in (ids[row] for row in there)]
        )
        return odds
