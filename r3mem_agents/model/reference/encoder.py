"""The frozen encoder in PyTorch: the stack run forward, from word pieces to a gist.

Both streams start as the embeddings of the word pieces; the stack runs forward with attention
over all of them, the mean over the pieces is what the segment means, and the signs of a matrix
applied to it are the gist (docs/model.md, "Forward").
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from r3mem_agents.model.config import EncoderConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.interface import Floats
from r3mem_agents.model.predictions import Integers
from r3mem_agents.model.reference.exact import normalize
from r3mem_agents.model.reference.isolation import computing
from r3mem_agents.model.reference.matrix import Matrix, Tensors
from r3mem_agents.model.reference.network import TorchNetwork
from r3mem_agents.model.reference.padding import batches, padded
from r3mem_agents.model.reference.stack import Stack
from r3mem_agents.model.reference.threads import CORES


class TorchEncoder(TorchNetwork):
    """The reference implementation of ``FrozenEncoder``.

    Args:
        config: Sizes of the network.
        tensors: What a checkpoint holds of it.

    Raises:
        CheckpointError: They do not fit the sizes.
    """

    def __init__(self, config: EncoderConfig, tensors: Tensors) -> None:
        super().__init__(tensors, shapes.encoder(config), "encoder")
        self.config = config
        self.embedding = Matrix(tensors, "embedding")
        self.to_gist = Matrix(tensors, "to_gist")
        self._position = tensors["position"]
        self._stack = Stack(config, tensors)

    def to(self, device: str | torch.device) -> TorchEncoder:
        """The same network on another device."""
        return TorchEncoder(self.config, self.moved(device))

    def encode(self, pieces: Integers, count: Integers) -> Floats:
        """Gists of texts before their bits are taken; see ``FrozenEncoder``."""
        out = np.empty((len(count), self.config.gist_bits), np.float32)
        rows = padded(pieces, count)
        with computing(self.device):
            for some in batches(count):
                CORES.fit()
                ids = torch.from_numpy(rows[some, : count[some].max()]).to(self.device)
                known = torch.from_numpy(count[some]).to(self.device)
                out[some] = self.gists(ids, known).cpu().numpy()
        return out

    def gists(self, pieces: Tensor, count: Tensor) -> Tensor:
        """``encode`` of tensors."""
        return self.to_gist(self.meaning(pieces, count))

    def meaning(self, pieces: Tensor, count: Tensor) -> Tensor:
        """The mean over the pieces of each text, as integer levels ``(batch, hidden)``."""
        positions = pieces.shape[1]
        outside = torch.arange(positions, device=count.device) >= count[:, None]
        said = self._stack.read(
            self.embedding.rows(pieces) + self._position[:positions], outside
        ).masked_fill(outside[..., None], 0.0)
        return normalize(said.sum(1))
