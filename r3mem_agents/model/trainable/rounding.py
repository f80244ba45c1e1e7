"""Rounding that gradients pass straight through (Bengio et al. 2013, arXiv 1308.3432).

The forward values are those of ``exact``; where that sums in float64, these sum in the dtype of
their argument, which may round a level differently once in a while.
"""

from __future__ import annotations

import torch
from torch import Tensor

from r3mem_agents.model.scales import ACTIVATION_SCALE, LEVELS


def snap(x: Tensor) -> Tensor:
    """Round to the whole steps of a stream."""
    return x + (torch.round(x) - x).detach()


def levels(x: Tensor) -> Tensor:
    """Round to integers in -127..127, kept in a float dtype; beyond them there is no gradient."""
    clipped = torch.clamp(x, -LEVELS, LEVELS)
    return clipped + (torch.round(clipped) - clipped).detach()


def normalize(x: Tensor) -> Tensor:
    """Root-mean-square norm of a stream ``(..., hidden)``, as integer levels."""
    factor, least = ACTIVATION_SCALE**-2 / x.shape[-1], ACTIVATION_SCALE**-2
    return levels(x / torch.sqrt((x * x).sum(-1, keepdim=True) * factor + least))


def quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Levels of the rows of a matrix, in floats, and the scale of each row."""
    scale = weight.detach().abs().amax(-1).clamp_min(1e-8) / LEVELS
    return levels(weight / scale[..., None]), scale
