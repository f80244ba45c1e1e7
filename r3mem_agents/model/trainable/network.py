"""What trained networks hold, in the form of a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from r3mem_agents.model.reference.isolation import loading
from r3mem_agents.model.reference.matrix import Tensors
from r3mem_agents.model.reference.network import TorchNetwork
from r3mem_agents.model.trainable.matrix import RoundedLinear

Network = TypeVar("Network", bound=nn.Module)


@runtime_checkable
class Rounded(Protocol):
    """A part of a network that is rounded as a whole: a matrix, with or without an adapter."""

    def rounded(self) -> dict[str, Tensor]:
        """What a checkpoint holds of it."""


def rounded_tensors(network: nn.Module) -> dict[str, Tensor]:
    """What a checkpoint holds of a network: copies of its parameters, its matrices rounded."""
    found = {name: value.detach().clone() for name, value in network.named_parameters("", False)}
    for name, part in network.named_children():
        own = part.rounded() if isinstance(part, Rounded) else rounded_tensors(part)
        found |= {f"{name}.{key}": tensor for key, tensor in own.items()}
    return found


def thawed(make: Callable[[], Network], frozen: TorchNetwork) -> Network:
    """A network to train that starts as a frozen one.

    Args:
        make: Makes one of the same sizes.
        frozen: The frozen one.
    """
    with loading():
        network = make().to(frozen.device)
        set_tensors(network, frozen.tensors)
    return network


@torch.no_grad()
def set_tensors(network: nn.Module, tensors: Tensors) -> None:
    """Set the parameters of a network from what a checkpoint holds of it."""
    for name, value in network.named_parameters("", False):
        value.copy_(tensors[name])
    for name, part in network.named_children():
        prefix = f"{name}."
        own = {
            key.removeprefix(prefix): tensor
            for key, tensor in tensors.items()
            if key.startswith(prefix)
        }
        if isinstance(part, RoundedLinear):
            part.set_rounded(own)
        else:
            set_tensors(part, own)
