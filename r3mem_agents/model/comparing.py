"""Which of two turns supersedes the other: texts in, log-odds out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.frozen.interface import FrozenSuperseder
from r3mem_agents.model.pieces import Pieces

_PIECE_CHARACTERS = 16
"""Maximum number of characters of a piece: of a text, no more are cut than the positions may
need."""


def compare(
    network: FrozenSuperseder, pieces: Pieces, pairs: Sequence[tuple[str, str]]
) -> NDArray[np.float64]:
    """Log-odds that the newer turn of each pair supersedes the older, ``(pairs,)``.

    Args:
        network: Compares them.
        pieces: Word pieces of the encoder.
        pairs: Texts of the older turn and of the newer.
    """
    if not pairs:
        return np.zeros(0)
    most = network.config.positions
    cut = [
        pieces.encode([text.strip()[: most * _PIECE_CHARACTERS] for text in sides], most)
        for sides in zip(*pairs, strict=True)
    ]
    both = [side for pair in zip(*cut, strict=True) for side in pair]
    count = np.array([len(side) for side in both], np.int64).reshape(-1, 2)
    flat = np.fromiter((piece for side in both for piece in side), np.int64, int(count.sum()))
    read = network.compare(flat, count).astype(np.float64)
    return np.asarray((read[:, 0] * read[:, 1]).sum(1))
