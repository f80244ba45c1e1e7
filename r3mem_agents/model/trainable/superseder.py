"""The superseder as training sees it; ``frozen.superseder`` says what it computes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from r3mem_agents.model.config import SupersederConfig
from r3mem_agents.model.reference.exact import FLOAT
from r3mem_agents.model.reference.layout import Sides
from r3mem_agents.model.reference.matrix import Matrix
from r3mem_agents.model.reference.superseder import TorchSuperseder
from r3mem_agents.model.trainable.matrix import RoundedLinear
from r3mem_agents.model.trainable.network import rounded_tensors, thawed
from r3mem_agents.model.trainable.rounding import normalize
from r3mem_agents.model.trainable.stack import ReversibleStack


class Superseder(nn.Module):
    """Pairs of turns to log-odds; its stack starts as the encoder's.

    Args:
        config: Sizes of the network.
    """

    def __init__(self, config: SupersederConfig) -> None:
        super().__init__()
        self.config = config
        self.position = nn.Parameter(torch.zeros(config.positions, config.hidden, dtype=FLOAT))
        self.side = nn.Parameter(torch.zeros(2, config.hidden, dtype=FLOAT))
        self.stack = ReversibleStack(config)
        self.read = RoundedLinear(
            config.hidden, 2 * config.compared, std=0.3 * config.hidden**-0.5, biased=True
        )

    def freeze(self, embedding: Matrix) -> TorchSuperseder:
        """The frozen network that a checkpoint holds; training on does not change it.

        Args:
            embedding: The frozen encoder's embeddings, which it reads.
        """
        return TorchSuperseder(self.config, rounded_tensors(self), embedding)

    @classmethod
    def thaw(cls, frozen: TorchSuperseder) -> Superseder:
        """A network to train that starts as a frozen one."""
        return thawed(lambda: cls(frozen.config), frozen)

    def forward(self, text: Tensor, sides: Sides) -> Tensor:
        """Compare the two turns of each pair.

        Args:
            text: Embeddings of the pieces, ``(pairs, positions, hidden)``: the encoder's.
            sides: Where the turns lie.

        Returns:
            Log-odds that the newer turn supersedes the older, ``(pairs,)``.
        """
        text = text + self.position[sides.place] + self.side[sides.side]
        states = self.stack.read(text, sides.outside)
        found = self.read(normalize(torch.matmul(sides.owned.to(states.dtype), states)))
        older, newer = found[:, 0, : self.config.compared], found[:, 1, self.config.compared :]
        odds: Tensor = (older * newer).sum(-1)
        return odds
