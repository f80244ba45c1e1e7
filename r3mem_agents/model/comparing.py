"""Which of two turns supersedes the other: texts in, log-odds out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.frozen.interface import FrozenSuperseder
from r3mem_agents.model.pieces import PADDING, Pieces

_PIECE_CHARACTERS = 16
"""Maximum number of characters of a piece: of a text, no more are cut than the positions may
need."""

Ids = NDArray[np.int64]


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
    both = [[np.array(ids, np.int64) for ids in pair] for pair in zip(*cut, strict=True)]
    read = network.compare(*laid_out(both)).astype(np.float64)
    return np.asarray((read[:, 0] * read[:, 1]).sum(1))


def laid_out(pairs: Sequence[Sequence[Ids]]) -> tuple[Ids, Ids, Ids]:
    """Pairs as ``FrozenSuperseder.compare`` takes them: pieces, and the lengths of both turns.

    Args:
        pairs: Pieces of the older and of the newer turn.
    """
    older, newer = np.array([[len(one) for one in pair] for pair in pairs], np.int64).T.copy()
    ids = np.full((len(pairs), (older + newer).max()), PADDING, np.int64)
    for row, pair in enumerate(pairs):
        ids[row, : older[row] + newer[row]] = np.concatenate(pair)
    return ids, older, newer
