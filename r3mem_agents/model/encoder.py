"""The encoder: the stack run forward, from a segment of text to its gist.

Both streams start as the embeddings of the word pieces; the stack runs forward with attention
over all of them, the mean over the pieces is what the segment means, and the signs of a matrix
applied to it are the gist. The couplings start as the layers of a pretrained sentence encoder
(``pretrained``), whose vectors they are taught to give again (docs/model.md, "Forward").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from r3mem_agents.model.config import EncoderConfig
from r3mem_agents.model.coupling import ReversibleStack
from r3mem_agents.model.exact import (
    FLOAT,
    STREAM_SCALE,
    ExactLinear,
    RoundedNetwork,
    normalize,
    snap,
)

EMBEDDING_STD = 0.02
"""Of embeddings at the start, where no pretrained ones are taken (BERT)."""


class Encoder(RoundedNetwork):
    """Word pieces to gists.

    Args:
        config: Its sizes.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = ExactLinear(config.hidden, config.vocabulary, std=EMBEDDING_STD)
        self.position = nn.Parameter(torch.zeros(config.positions, config.hidden, dtype=FLOAT))
        self.stack = ReversibleStack(config)
        self.to_gist = ExactLinear(config.hidden, config.gist_bits, biased=True)

    def forward(self, pieces: Tensor, count: Tensor) -> Tensor:
        """Compress segments into gists, before their bits are taken.

        Args:
            pieces: ``(batch, positions)`` int64; padding holds any piece.
            count: ``(batch,)`` int64, pieces of each segment.

        Returns:
            ``(batch, gist_bits)`` reals; a bit is 1 where they are positive.
        """
        found: Tensor = self.to_gist(self.meaning(pieces, count))
        return found

    def meaning(self, pieces: Tensor, count: Tensor) -> Tensor:
        """The mean over the pieces of a segment, as integer levels ``(batch, hidden)``."""
        positions = pieces.shape[1]
        text = self.embedding.rows(pieces) + self.position[:positions]
        start = snap(text * STREAM_SCALE)
        outside = torch.arange(positions, device=count.device) >= count[:, None]
        even = start.new_zeros((self.config.layers, 1, 1, 1, 1))
        a, b = self.stack(start, start, even, outside[:, None])
        said = normalize(a + b).masked_fill(outside[..., None], 0.0)
        return normalize(said.sum(1))
