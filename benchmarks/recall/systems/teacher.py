"""Likeness of turns to a question by the sentence encoder that taught the gist."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall.systems.encoder import Encoder
from r3mem_agents.lookup.index import Snapshot
from r3mem_agents.memory.reading import Likeness


class Teacher:
    """Cosines of whole vectors of a user's turns, each text encoded once.

    Args:
        ids: Turn ids, ascending.
        texts: Their texts.
        encoder: The encoder.
    """

    def __init__(self, ids: Sequence[int], texts: Sequence[str], encoder: Encoder) -> None:
        self._encoder = encoder
        self._ids = np.array(ids)
        self._vectors = np.array(encoder.embed_documents(texts))

    def likeness(self, question: str) -> Likeness:
        """How like the turns are to a question."""
        alike = self._vectors @ np.array(self._encoder.embed_query(question))

        def of(turns: Snapshot) -> NDArray[np.float64]:
            found: NDArray[np.float64] = alike[np.searchsorted(self._ids, turns.ids)]
            return found

        return of
