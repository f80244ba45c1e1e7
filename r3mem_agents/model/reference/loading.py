"""From a checkpoint to networks in PyTorch, and back."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
import torch

from r3mem_agents.model.checkpoint import Stored
from r3mem_agents.model.config import EncoderConfig, ModelConfig, StackConfig, SupersederConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.reference.encoder import TorchEncoder
from r3mem_agents.model.reference.expander import TorchExpander
from r3mem_agents.model.reference.isolation import loading
from r3mem_agents.model.reference.matrix import Matrix, Tensors
from r3mem_agents.model.reference.network import arrays_of
from r3mem_agents.model.reference.superseder import TorchSuperseder

Device = str | torch.device

C = TypeVar("C", bound=StackConfig, covariant=True)


def torch_encoder(stored: Stored[EncoderConfig], device: Device = "cpu") -> TorchEncoder:
    """The encoder of a checkpoint on a device.

    Raises:
        CheckpointError: Its tensors do not fit its sizes.
    """
    return TorchEncoder(stored.config, _tensors(stored.tensors, device))


def torch_expander(stored: Stored[ModelConfig], device: Device = "cpu") -> TorchExpander:
    """The expander of a checkpoint on a device.

    Raises:
        CheckpointError: Its tensors do not fit its sizes.
    """
    return TorchExpander(stored.config, _tensors(stored.tensors, device))


def torch_superseder(
    stored: Stored[SupersederConfig], embedding: Matrix, device: Device = "cpu"
) -> TorchSuperseder:
    """The superseder of a checkpoint on a device, beside the embeddings of the encoder there.

    Raises:
        CheckpointError: Its tensors do not fit its sizes, or the embeddings.
    """
    return TorchSuperseder(stored.config, _tensors(stored.tensors, device), embedding)


class InTorch(Protocol[C]):
    """A network in PyTorch."""

    @property
    def config(self) -> C:
        """Sizes of the network."""

    @property
    def tensors(self) -> Tensors:
        """Its tensors by name."""


def stored(network: InTorch[C]) -> Stored[C]:
    """A network as a checkpoint holds it."""
    return Stored(network.config, arrays_of(network.tensors))


def _tensors(arrays: shapes.Tensors, device: Device) -> Tensors:
    with loading():
        return {name: torch.from_numpy(np.array(held)).to(device) for name, held in arrays.items()}
