"""What the networks of the reference implementation have in common."""

from __future__ import annotations

import torch

from r3mem_agents.model.frozen.shapes import Shapes, check
from r3mem_agents.model.reference.matrix import Tensors
from r3mem_agents.model.tensors import Arrays


class TorchNetwork:
    """A frozen network in PyTorch.

    Attributes:
        tensors: What a checkpoint holds of it, by name.

    Args:
        tensors: Never written to.
        shapes: Shapes that they have to have.
        name: Name of the network, for errors.

    Raises:
        CheckpointError: They are not.
    """

    def __init__(self, tensors: Tensors, shapes: Shapes, name: str) -> None:
        check(arrays_of(tensors), shapes, name)
        self.tensors = tensors

    @property
    def device(self) -> torch.device:
        """The device it computes on."""
        return next(iter(self.tensors.values())).device

    def moved(self, device: str | torch.device) -> Tensors:
        """Its tensors on another device."""
        return {name: tensor.to(device) for name, tensor in self.tensors.items()}


def arrays_of(tensors: Tensors) -> Arrays:
    """Tensors as arrays, which share the memory of those that are on the CPU."""
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
