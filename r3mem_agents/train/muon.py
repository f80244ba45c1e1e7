"""Muon: momentum whose steps are orthogonalized, for the matrices of the stack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
"""Newton-Schulz iterations of K. Jordan et al., "Muon" (2024); they bring singular values near
1."""


class Muon(torch.optim.Optimizer):
    """Muon with the step size of Liu et al. 2025 (arXiv 2502.16982): ``0.2 * sqrt(larger side)``.

    PyTorch's own implementation computes in bfloat16, which processors without it emulate: a step
    took 13 s where this one takes 0.3 s (docs/LOG.md, 2026-11-25).

    Args:
        matrices: Two-dimensional parameters.
        lr: Learning rate, on the scale of AdamW's.
        momentum: Momentum of the moving average of gradients; Nesterov's form.
        dtype: Dtype to orthogonalize in.
    """

    def __init__(
        self,
        matrices: Iterable[Tensor],
        lr: float,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "dtype": dtype})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the matrices by one step; ``closure`` is not supported."""
        with torch.no_grad():
            for group in self.param_groups:
                for matrix in group["params"]:
                    if matrix.grad is not None:
                        self._move(matrix, matrix.grad, **group)

    def _move(
        self,
        matrix: Tensor,
        grad: Tensor,
        lr: float,
        momentum: float,
        dtype: torch.dtype,
        **_: Any,
    ) -> None:
        state = self.state[matrix]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(matrix)
        average = state["momentum"].lerp_(grad, 1 - momentum)
        wanted = orthogonalized(grad.lerp(average, momentum).to(dtype))
        matrix.sub_(wanted.to(matrix.dtype), alpha=lr * 0.2 * max(matrix.shape) ** 0.5)


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return the matrix with its singular values brought near 1."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.t() if tall else matrix
    x = x / (x.square().sum().sqrt() + 1e-7)
    first, third, fifth = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        square = x @ x.t()
        x = first * x + (third * square + fifth * square @ square) @ x
    return x.t() if tall else x
