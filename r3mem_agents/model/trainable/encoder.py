"""The encoder as training sees it; ``frozen.encoder`` says what it computes.

Its couplings start as the layers of a pretrained sentence encoder (``pretrained``), whose vectors
they are taught to give again (docs/model.md, "Forward").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from r3mem_agents.model.config import EncoderConfig
from r3mem_agents.model.reference.encoder import TorchEncoder
from r3mem_agents.model.reference.exact import FLOAT
from r3mem_agents.model.trainable.matrix import RoundedLinear
from r3mem_agents.model.trainable.network import rounded_tensors, thawed
from r3mem_agents.model.trainable.rounding import normalize
from r3mem_agents.model.trainable.stack import ReversibleStack

EMBEDDING_STD = 0.02
"""Standard deviation of embeddings at the start, where no pretrained ones are taken (BERT)."""


class Encoder(nn.Module):
    """Word pieces to gists.

    Args:
        config: Sizes of the network.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = RoundedLinear(config.hidden, config.vocabulary, std=EMBEDDING_STD)
        self.position = nn.Parameter(torch.zeros(config.positions, config.hidden, dtype=FLOAT))
        self.stack = ReversibleStack(config)
        self.to_gist = RoundedLinear(config.hidden, config.gist_bits, biased=True)

    def freeze(self) -> TorchEncoder:
        """The frozen network that a checkpoint holds; training on does not change it."""
        return TorchEncoder(self.config, rounded_tensors(self))

    @classmethod
    def thaw(cls, frozen: TorchEncoder) -> Encoder:
        """A network to train that starts as a frozen one."""
        return thawed(lambda: cls(frozen.config), frozen)

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
        """The mean over the pieces of each segment, as integer levels ``(batch, hidden)``."""
        positions = pieces.shape[1]
        outside = torch.arange(positions, device=count.device) >= count[:, None]
        text = self.embedding.rows(pieces) + self.position[:positions]
        said = self.stack.read(text, outside).masked_fill(outside[..., None], 0.0)
        return normalize(said.sum(1))
