"""The forward pass over texts: gists of segments, and questions to compare with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.frozen.interface import FrozenEncoder
from r3mem_agents.model.pieces import Pieces

Gists = NDArray[np.uint8]
Questions = NDArray[np.float32]


class Forward:
    """Texts to gists under a frozen encoder."""

    def __init__(self, encoder: FrozenEncoder, pieces: Pieces) -> None:
        self._encoder = encoder
        self._pieces = pieces

    def gists(self, texts: Sequence[str]) -> Gists:
        """Gists ``(texts, gist_bits / 8)``, most significant bit first."""
        bits = self._run(texts) > 0
        return np.packbits(bits, axis=1)

    def questions(self, texts: Sequence[str]) -> Questions:
        """Vectors of questions to compare gists with, ``(texts, gist_bits)``, each of length 1.

        A gist is what is stored, so it is cut to bits; a question is not, and loses nothing.
        """
        found = self._run(texts)
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(length, np.finfo(np.float32).tiny))

    def _run(self, texts: Sequence[str]) -> NDArray[np.float32]:
        cut = self._pieces.encode(texts, self._encoder.config.positions)
        count = np.array([len(pieces) for pieces in cut], np.int64)
        pieces = np.fromiter((piece for one in cut for piece in one), np.int64, int(count.sum()))
        return self._encoder.encode(pieces, count)
