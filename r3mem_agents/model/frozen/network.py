"""What the networks of the reference implementation have in common."""

from __future__ import annotations

import torch

from r3mem_agents.model.frozen.shapes import Shapes, Tensors, check


class TorchNetwork:
    """A frozen network in PyTorch.

    Attributes:
        tensors: What a checkpoint holds of it, by name.

    Args:
        tensors: Never written to.
        shapes: What they have to be.
        name: What the network is called in errors.

    Raises:
        CheckpointError: They are not.
    """

    def __init__(self, tensors: Tensors, shapes: Shapes, name: str) -> None:
        check(tensors, shapes, name)
        self.tensors = tensors

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(iter(self.tensors.values())).device

    def moved(self, device: str | torch.device) -> Tensors:
        """Its tensors on another device."""
        return {name: tensor.to(device) for name, tensor in self.tensors.items()}
