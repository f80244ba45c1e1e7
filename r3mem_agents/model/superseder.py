"""The network that compares two turns: does the newer one supersede the older?

"We moved to Berlin last week" supersedes "I live in Paris"; a second cat does not supersede the
first. Likeness tells little of this (docs/LOG.md), so two turns are read together: the pieces of
the older, then those of the newer, in one forward pass of a reversible stack that starts as the
encoder's and reads its embeddings (docs/model.md, "What supersedes what").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from r3mem_agents.model.config import SupersederConfig
from r3mem_agents.model.coupling import ReversibleStack
from r3mem_agents.model.exact import (
    FLOAT,
    STREAM_SCALE,
    ExactLinear,
    RoundedNetwork,
    normalize,
    snap,
)

OLDER, NEWER, PADDING_SIDE = 0, 1, -1
"""Which turn a piece is of."""


class Superseder(RoundedNetwork):
    """Pairs of turns to log-odds.

    Args:
        config: Its sizes.
    """

    def __init__(self, config: SupersederConfig) -> None:
        super().__init__()
        self.config = config
        self.position = nn.Parameter(torch.zeros(config.positions, config.hidden, dtype=FLOAT))
        self.side = nn.Parameter(torch.zeros(2, config.hidden, dtype=FLOAT))
        self.stack = ReversibleStack(config)
        self.read = ExactLinear(
            config.hidden, 2 * config.compared, std=0.3 * config.hidden**-0.5, biased=True
        )

    def forward(self, text: Tensor, position: Tensor, side: Tensor) -> Tensor:
        """Compare the two turns of each pair.

        Args:
            text: Embeddings of the pieces, ``(pairs, positions, hidden)``: the encoder's.
            position: Position of each piece in its own turn, ``(pairs, positions)`` int64.
            side: ``OLDER``, ``NEWER`` or ``PADDING_SIDE``, of the same shape.

        Returns:
            Log-odds that the newer turn supersedes the older, ``(pairs,)``.
        """
        config = self.config
        outside = side < 0
        start = text + self.position[position] + self.side[side.clamp_min(0)]
        start = snap(start * STREAM_SCALE)
        even = start.new_zeros((config.layers, 1, 1, 1, 1))
        a, b = self.stack(start, start, even, outside[:, None])
        both = torch.arange(2, device=side.device)
        owned = (side[:, None] == both[:, None]).to(a.dtype)
        found = self.read(normalize(torch.matmul(owned, normalize(a + b))))
        older, newer = found[:, OLDER, : config.compared], found[:, NEWER, config.compared :]
        odds: Tensor = (older * newer).sum(-1)
        return odds
