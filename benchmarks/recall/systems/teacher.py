"""Similarity of turns to a question by the sentence encoder that the gist was distilled from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall.systems.encoder import Encoder


class Teacher:
    """Cosines of full vectors of turns, each text encoded once.

    Args:
        texts: The texts of the turns.
        encoder: The encoder.
    """

    def __init__(self, texts: Sequence[str], encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors = np.array(encoder.embed_documents(texts))

    def similarity(self, question: str) -> NDArray[np.float64]:
        """Return the similarity of each turn to a question, ``(turns,)``."""
        found: NDArray[np.float64] = self._vectors @ np.array(self._encoder.embed_query(question))
        return found
