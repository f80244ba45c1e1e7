"""Arithmetic whose result does not depend on the machine, the batch or the number of threads.

The frozen network multiplies and adds *integers* only: activations and weights are rounded to
-127..127, so a sum of up to 1,024 products stays below 2**24, and any kernel that counts exactly
(int8 on the CPU, float32 anywhere) gives the same bits in any order of summation. Between two
products stand only operations that IEEE 754 rounds correctly, one at a time: add, multiply,
divide, square root, round, clamp, and look-ups in integer tables. No ``exp``, no fused
multiply-add. So a decoder may use the network's predictions as they are; it needs no safety margin
(docs/model.md, "Exactness").

Functions whose name ends in ``_`` overwrite their argument, as in PyTorch: half of the time of a
pass is spent on moving its intermediate tensors. Training has differentiable forms of its own
(``trainable.rounding``).
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from r3mem_agents.model.scales import (
    ACTIVATION_SCALE,
    LEVELS,
    attention_exponential,
    frequency_exponential,
)

FLOAT = torch.float32
"""Dtype of all real numbers, named wherever a tensor is made: a host may have another default."""


def snap_(x: Tensor) -> Tensor:
    """Round to the whole steps of a stream, in place."""
    return x.round_()


def levels_(x: Tensor) -> Tensor:
    """Round to integers in -127..127 in place, kept in a float dtype."""
    return x.clamp_(-LEVELS, LEVELS).round_()


def normalize(x: Tensor) -> Tensor:
    """Root-mean-square norm of a stream ``(..., hidden)``, as integer levels.

    The squares of whole steps are rounded once each; their sum in float64 is exact, so the order
    of summation cannot show. One step squared keeps an all-zero stream from dividing by zero.
    """
    factor, least = ACTIVATION_SCALE**-2 / x.shape[-1], ACTIVATION_SCALE**-2
    total = (x * x).sum(-1, keepdim=True, dtype=torch.float64)
    return levels_(x / total.mul_(factor).add_(least).sqrt_().to(x.dtype))


def attention_weights_(scores: Tensor, head_size: int) -> Tensor:
    """Integer attention weights 0..``ATTENTION_TOP`` from scores ``(..., keys)``.

    Args:
        scores: Whole numbers, of which ``score_steps(head_size)`` make a nat; ``NOWHERE`` blocks a
            key, and each row leaves at least one. Overwritten.
        head_size: Channels of a head.
    """
    return _look_up_(attention_table(head_size, scores.dtype, scores.device), scores)


def frequencies_(steps: Tensor) -> Tensor:
    """Integer frequencies ``(..., symbols)``, int32, from predictions.

    Each is at least 1; that of the best-predicted symbol is ``TOP_FREQUENCY``.

    Args:
        steps: Predictions, ``PREDICTION_STEPS`` to a nat. Overwritten.
    """
    return _look_up_(frequency_table(steps.device), steps.round_())


@cache
def attention_table(head_size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """``scales.attention_exponential`` as a tensor."""
    return torch.tensor(attention_exponential(head_size), dtype=dtype, device=device)


@cache
def frequency_table(device: torch.device) -> Tensor:
    """``scales.frequency_exponential`` as an int32 tensor."""
    return torch.tensor(frequency_exponential(), dtype=torch.int32, device=device)


def _look_up_(table: Tensor, steps: Tensor) -> Tensor:
    """Entries of a table at the distance from the largest step of a row, its last one beyond."""
    distance = torch.sub(steps.amax(-1, keepdim=True), steps, out=steps).clamp_max_(len(table) - 1)
    return table.index_select(0, distance.to(torch.int32).view(-1)).view(steps.shape)
