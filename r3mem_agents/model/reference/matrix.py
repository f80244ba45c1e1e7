"""A matrix of integer levels with a float scale per row."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from r3mem_agents.model.reference.kernels import int8_kernel_pays
from r3mem_agents.model.scales import ACTIVATION_SCALE, EXACT_WIDTH

Tensors = Mapping[str, Tensor]
"""Tensors of a network by name (``frozen.shapes``)."""


class Matrix:
    """A matrix of a frozen network.

    Args:
        tensors: Tensors of the network.
        name: Name of the matrix among them (``shapes.matrix``).
    """

    def __init__(self, tensors: Tensors, name: str) -> None:
        self.levels = tensors[f"{name}.levels"]
        self.scale = tensors[f"{name}.scale"]
        self.bias = tensors.get(f"{name}.bias")
        self._wide: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Map integer levels ``(..., inputs)`` to reals ``(..., outputs)``."""
        product = self.count(x).to(self.scale.dtype).mul_(self.scale)
        return product if self.bias is None else product.add_(self.bias)

    def count(self, x: Tensor) -> Tensor:
        """Exact product of integer levels ``(..., inputs)`` with ``levels``, in any dtype.

        Both kernels count exactly, so which one runs cannot be seen in the result. What is wider
        than ``EXACT_WIDTH`` is summed in parts of that width, whose sums are then added in order.
        """
        one = self.levels.shape[1] == 1  # PyTorch's kernel takes a column for a row (2.13)
        if x.device.type == "cpu" and not one and int8_kernel_pays():
            flat, weight, product = x.to(torch.int8).flatten(0, -2), self.levels, torch._int_mm
        else:
            if self._wide is None or self._wide.dtype != x.dtype:
                self._wide = self.levels.to(x.dtype)
            flat, weight, product = x.flatten(0, -2), self._wide, torch.mm
        weight, (outputs, inputs) = weight.t(), self.levels.shape
        if inputs <= EXACT_WIDTH:
            total = product(flat, weight)
        else:
            total = flat.new_zeros((len(flat), outputs), dtype=x.dtype)
            for start in range(0, inputs, EXACT_WIDTH):
                part = slice(start, start + EXACT_WIDTH)
                total.add_(product(flat[:, part], weight[part]).to(x.dtype))
        return total.view(*x.shape[:-1], outputs)

    def rows(self, index: Tensor) -> Tensor:
        """Rows of the matrix as reals: an embedding look-up ``(...) -> (..., inputs)``."""
        return self.levels[index] * (self.scale[index][..., None] * ACTIVATION_SCALE)
