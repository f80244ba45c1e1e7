"""Which of two turns supersedes the other: texts in, log-odds out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from r3mem_agents.model.encoder import Encoder
from r3mem_agents.model.pieces import PADDING, Pieces
from r3mem_agents.model.superseder import NEWER, OLDER, PADDING_SIDE, Superseder
from r3mem_agents.model.threads import CORES

_PIECE_CHARACTERS = 16
"""No piece is longer, so of a text that has so many times the positions the rest is not cut."""

Ids = NDArray[np.int64]


def compare(
    network: Superseder, encoder: Encoder, pieces: Pieces, pairs: Sequence[tuple[str, str]]
) -> NDArray[np.float64]:
    """Log-odds that the newer turn of each pair supersedes the older, ``(pairs,)``.

    Args:
        network: Compares them.
        encoder: Whose embeddings it reads.
        pieces: Whose pieces.
        pairs: Texts of the older turn and of the newer.
    """
    if not pairs:
        return np.zeros(0)
    most = network.config.positions
    cut = [
        pieces.encode([text.strip()[: most * _PIECE_CHARACTERS] for text in sides], most)
        for sides in zip(*pairs, strict=True)
    ]
    ids, position, side = (
        torch.from_numpy(one).to(network.position.device)
        for one in laid_out(
            [[np.array(ids, np.int64) for ids in both] for both in zip(*cut, strict=True)]
        )
    )
    CORES.fit()
    odds = network(encoder.embedding.rows(ids), position, side)
    return np.asarray(odds.double().cpu().numpy())


def laid_out(pairs: Sequence[Sequence[Ids]]) -> tuple[Ids, Ids, Ids]:
    """Pieces of pairs, with the position of each and the side it is of; the longest fills them.

    Args:
        pairs: Pieces of the older and of the newer turn.
    """
    width = max(len(older) + len(newer) for older, newer in pairs)
    ids = np.full((len(pairs), width), PADDING, np.int64)
    position, side = np.zeros_like(ids), np.full_like(ids, PADDING_SIDE)
    for row, (older, newer) in enumerate(pairs):
        ids[row, : len(older) + len(newer)] = np.concatenate([older, newer])
        for start, part, of in ((0, older, OLDER), (len(older), newer, NEWER)):
            position[row, start : start + len(part)] = np.arange(len(part))
            side[row, start : start + len(part)] = of
    return ids, position, side
