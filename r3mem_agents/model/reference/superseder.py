"""The frozen superseder in PyTorch: two turns read together in one forward pass.

"We moved to Berlin last week" supersedes "I live in Paris"; a second cat does not supersede the
first. Similarity tells little of this (docs/LOG.md), so the word pieces of the older turn and those
of the newer are read by one stack, which sees both (docs/model.md, "What supersedes what").
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from r3mem_agents.errors import CheckpointError
from r3mem_agents.model.config import SupersederConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.interface import Floats
from r3mem_agents.model.predictions import Integers
from r3mem_agents.model.reference.exact import normalize
from r3mem_agents.model.reference.isolation import computing
from r3mem_agents.model.reference.layout import Sides
from r3mem_agents.model.reference.matrix import Matrix, Tensors
from r3mem_agents.model.reference.network import TorchNetwork
from r3mem_agents.model.reference.padding import padded
from r3mem_agents.model.reference.stack import Stack
from r3mem_agents.model.reference.threads import CORES


class TorchSuperseder(TorchNetwork):
    """The reference implementation of ``FrozenSuperseder``.

    Args:
        config: Sizes of the network.
        tensors: What a checkpoint holds of it.
        embedding: Embeddings of the word pieces, which are the encoder's.

    Raises:
        CheckpointError: They, or the embeddings, do not fit the sizes.
    """

    def __init__(self, config: SupersederConfig, tensors: Tensors, embedding: Matrix) -> None:
        super().__init__(tensors, shapes.superseder(config), "superseder")
        if embedding.levels.shape[1] != config.hidden:
            raise CheckpointError(
                f"the superseder reads embeddings of {config.hidden} channels where the encoder's "
                f"have {embedding.levels.shape[1]}"
            )
        self.config = config
        self.embedding = embedding
        self._position, self._side = tensors["position"], tensors["side"]
        self._read = Matrix(tensors, "read")
        self._stack = Stack(config, tensors)

    def to(self, device: str | torch.device, embedding: Matrix) -> TorchSuperseder:
        """The same network on another device, beside embeddings that are there."""
        return TorchSuperseder(self.config, self.moved(device), embedding)

    def compare(self, pieces: Integers, count: Integers) -> Floats:
        """What is read of both turns of each pair; see ``FrozenSuperseder``."""
        with computing(self.device):
            CORES.fit()
            ids, (first, second) = (
                torch.from_numpy(one).to(self.device)
                for one in (padded(pieces, count.sum(1)), np.ascontiguousarray(count.T))
            )
            return self.read(ids, Sides.of(first, second, ids.shape[1])).cpu().numpy()

    def read(self, pieces: Tensor, sides: Sides) -> Tensor:
        """What is read of both turns of each pair, ``(pairs, 2, compared)``.

        Args:
            pieces: ``(pairs, positions)`` int64.
            sides: Where the turns lie.
        """
        text = self.embedding.rows(pieces) + self._position[sides.place] + self._side[sides.side]
        states = self._stack.read(text, sides.outside)
        found = self._read(normalize(torch.matmul(sides.owned.to(states.dtype), states)))
        size = self.config.compared
        return torch.stack((found[:, 0, :size], found[:, 1, size:]), 1)
