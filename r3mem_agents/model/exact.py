"""Arithmetic whose result does not depend on the machine, the batch or the thread count.

The network multiplies and adds *integers* only: activations and weights are rounded to
-127..127, so a sum of up to 1,024 products stays below 2**24, and any kernel that counts exactly
(int8 on the CPU, float32 anywhere) gives the same bits in any order of summation. Between two
products stand only operations that IEEE 754 rounds correctly, one at a time: add, multiply,
divide, square root, round, clamp, and look-ups in integer tables. No ``exp``, no fused
multiply-add. So a decoder may use the network's predictions as they are: there is nothing left
for a guard to guard (docs/model.md, "Exactness").

Training runs the same functions with straight-through rounding: the forward value is rounded, the
gradient passes. Without gradients, functions that say so round in place: half of the time of a pass
is spent on moving its intermediate tensors.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import cache
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from r3mem_agents.errors import FrozenError

FLOAT = torch.float32
"""Dtype of all real numbers, said wherever a tensor is made: a host may have another default."""

LEVELS = 127
"""Largest magnitude of a rounded activation or weight."""

EXACT_WIDTH = 1024
"""Widest sum of 127 x 127 products that is taken at once: 1,040 stay below 2**24."""

ACTIVATION_SCALE = 16.0
"""Levels per unit of a normalized activation: a range of -7.9..7.9 in steps of 1/16."""

STREAM_SCALE = 128.0
"""Steps per unit of the residual streams, which count in steps."""

PREDICTION_STEPS = 32
"""Steps per nat of predictions."""

ATTENTION_TOP = 255
"""Integer weight of the best-scored key: all levels are whole in bfloat16, so not even PyTorch's
``set_float32_matmul_precision("medium")`` changes a product (docs/LOG.md, 2026-11-21: no loss)."""

PREDICTION_BITS = 24
"""Resolution of predictions: shares below 2**-24 of the best one are all alike."""

TOP_FREQUENCY = 2**PREDICTION_BITS + 1
"""Frequency of the best-predicted token."""


def snap(x: Tensor) -> Tensor:
    """Round to the whole steps of a stream, in place; gradients pass straight through."""
    if torch.is_grad_enabled():
        return x + (torch.round(x) - x).detach()
    return x.round_()


def levels(x: Tensor) -> Tensor:
    """Round to integers in -127..127 in place, kept in a float dtype; straight-through inside."""
    if torch.is_grad_enabled():
        clipped = torch.clamp(x, -LEVELS, LEVELS)
        return clipped + (torch.round(clipped) - clipped).detach()
    return x.clamp_(-LEVELS, LEVELS).round_()


def normalize(x: Tensor) -> Tensor:
    """Root-mean-square norm of a stream ``(..., hidden)``, as integer levels.

    The squares of whole steps are rounded once each; their sum in float64 is exact, so the order
    of summation cannot show. One step squared keeps an all-zero stream from dividing by zero.
    """
    factor, least = ACTIVATION_SCALE**-2 / x.shape[-1], ACTIVATION_SCALE**-2
    if torch.is_grad_enabled():
        level = torch.sqrt((x * x).sum(-1, keepdim=True) * factor + least)
    else:
        total = (x * x).sum(-1, keepdim=True, dtype=torch.float64)
        level = total.mul_(factor).add_(least).sqrt_().to(x.dtype)
    return levels(x / level)


class ExactLinear(nn.Module):
    """A matrix of integer levels with one float scale per output row.

    ``weight`` is the float master copy that training moves. ``freeze`` turns it into ``levels``
    (int8) and ``scale`` (float32; what one level of weight times one level of activation is
    worth), which is what a checkpoint holds and inference reads. What was loaded from there has
    no master copy (``weight`` is ``None``) until ``thaw`` makes one.

    Args:
        inputs: Columns.
        outputs: Rows.
        std: Of the weights at the start; ``inputs ** -0.5`` if not given.
        gain: Units of the output per real unit; a power of two, so that it rounds nothing.
        biased: Add a learned bias per output row, in units of the output.
    """

    weight: nn.Parameter | None
    bias: nn.Parameter | None
    levels: Tensor
    scale: Tensor
    wide: Tensor | None

    def __init__(
        self,
        inputs: int,
        outputs: int,
        std: float | None = None,
        gain: float = 1.0,
        biased: bool = False,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = inputs, outputs
        self.unit = gain / ACTIVATION_SCALE
        weight = nn.Parameter(torch.empty(outputs, inputs, dtype=FLOAT))
        if not weight.is_meta:  # where torch would load its compiler, and make it a folder
            nn.init.normal_(weight, std=inputs**-0.5 if std is None else std)
        self.weight = weight
        self.bias = nn.Parameter(torch.zeros(outputs, dtype=FLOAT)) if biased else None
        self.register_buffer("levels", torch.zeros(outputs, inputs, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(outputs, dtype=FLOAT))
        self.register_buffer("wide", None, persistent=False)

    @property
    def master(self) -> nn.Parameter:
        """The master copy of the weights.

        Raises:
            FrozenError: There is none.
        """
        if self.weight is None:
            raise FrozenError(
                "a network that was loaded holds rounded weights only: call thaw() on it before it "
                "is trained, or run it under torch.no_grad()"
            )
        return self.weight

    def freeze(self) -> None:
        """Copy the master weights into ``levels`` and ``scale``; without them these stay."""
        if self.weight is None:
            return
        with torch.no_grad():
            rounded, scale = quantize(self.weight)
            self.levels.copy_(rounded.to(torch.int8))
            self.scale.copy_(scale * self.unit)
            self.wide = None

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        self.wide = None
        if f"{prefix}weight" in state_dict:
            self.thaw()  # so that there is room for it
        elif f"{prefix}levels" in state_dict:
            self.weight = None  # it would say something else than they do
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def thaw(self) -> None:
        """Copy ``levels`` and ``scale`` back into the master weights, to train on."""
        with torch.no_grad():
            weight = self.levels * (self.scale[:, None] / self.unit)
            if self.weight is None:
                self.weight = nn.Parameter(weight)
            else:
                self.weight.copy_(weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map integer levels ``(..., inputs)`` to reals ``(..., outputs)`` times the gain."""
        if torch.is_grad_enabled():
            return self.apply_matrix(self.master, x)
        product = self.count(x).to(self.scale.dtype).mul_(self.scale)
        return product if self.bias is None else product.add_(self.bias)

    def apply_matrix(self, weight: Tensor, x: Tensor) -> Tensor:
        """``forward`` as training runs it, with this master copy in place of ``weight``."""
        rounded, scale = quantize(weight)
        product = F.linear(x, rounded) * (scale * self.unit)
        return product if self.bias is None else product + self.bias

    def count(self, x: Tensor) -> Tensor:
        """Exact product of integer levels ``(..., inputs)`` with ``levels``, in any dtype.

        Both kernels count exactly, so which one runs cannot be seen in the result. What is wider
        than ``EXACT_WIDTH`` is summed in parts of that width, whose sums are then added in order.
        """
        if x.device.type == "cpu" and int8_kernel_pays():
            flat, weight, product = x.to(torch.int8).flatten(0, -2), self.levels, torch._int_mm
        else:
            if self.wide is None or self.wide.dtype != x.dtype:
                self.wide = self.levels.to(x.dtype)
            flat, weight, product = x.flatten(0, -2), self.wide, torch.mm
        weight = weight.t()
        if self.in_features <= EXACT_WIDTH:
            total = product(flat, weight)
        else:
            total = flat.new_zeros((len(flat), self.out_features), dtype=x.dtype)
            for start in range(0, self.in_features, EXACT_WIDTH):
                part = slice(start, start + EXACT_WIDTH)
                total.add_(product(flat[:, part], weight[part]).to(x.dtype))
        return total.view(*x.shape[:-1], self.out_features)

    def rows(self, index: Tensor) -> Tensor:
        """Rows of the matrix as reals: an embedding look-up ``(...) -> (..., inputs)``."""
        if torch.is_grad_enabled() and self.master.requires_grad:
            weight, scale = quantize(self.master)
            return F.embedding(index, weight) * scale[index][..., None]
        return self.levels[index] * (self.scale[index][..., None] / self.unit)


class RoundedNetwork(nn.Module):
    """A network whose matrices are ``ExactLinear``."""

    def freeze(self) -> Self:
        """Round all weights to what a checkpoint holds; inference needs it.

        What was loaded from a checkpoint is rounded already, and stays as it is.
        """
        for module in self.modules():
            if isinstance(module, ExactLinear):
                module.freeze()
        return self

    def thaw(self) -> Self:
        """Set the master weights from the rounded ones, to train on."""
        for module in self.modules():
            if isinstance(module, ExactLinear):
                module.thaw()
        return self


def quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Levels of a matrix (straight-through floats), and the scale of each row."""
    scale = weight.detach().abs().amax(1).clamp_min(1e-8) / LEVELS
    return levels(weight / scale[:, None]), scale


@cache
def int8_kernel_is_exact() -> bool:
    """Whether the int8 kernel survives the largest sums; old processors saturate them."""
    ones = torch.full((32, 1024), LEVELS, dtype=torch.int8, device="cpu")
    signs = ones.clone()
    signs[:, ::2] = -LEVELS
    try:
        products = [torch._int_mm(a, b.t()) for a in (ones, signs) for b in (ones, signs)]
    except RuntimeError:
        return False
    exact = [a.double() @ b.double().t() for a in (ones, signs) for b in (ones, signs)]
    return all(torch.equal(p.double(), e) for p, e in zip(products, exact, strict=True))


@cache
def int8_kernel_pays() -> bool:
    """Whether the int8 kernel is exact, and faster here than float32.

    With the processor's dot products of bytes (VNNI) it is several times faster, without them
    PyTorch's is 20 times slower (docs/LOG.md, 2026-11-25).
    """
    if not int8_kernel_is_exact():
        return False
    x, weight = (torch.ones((rows, 256), dtype=torch.int8, device="cpu") for rows in (64, 1024))
    wide_x, wide_weight = x.float(), weight.float()
    return is_faster(lambda: torch._int_mm(x, weight.t()), lambda: F.linear(wide_x, wide_weight))


def is_faster(one: Callable[[], Any], other: Callable[[], Any]) -> bool:
    """Whether one of two takes less time, by the best of several runs in turn.

    In turn, since a busy processor may hold up all runs of a millisecond.
    """
    best = [math.inf, math.inf]
    for _ in range(8):
        for place, run in enumerate((one, other)):
            begun = time.perf_counter()
            run()
            best[place] = min(best[place], time.perf_counter() - begun)
    return best[0] < best[1]


@cache
def exponential_table(
    top: int,
    floor: int,
    squared_steps: int,
    dtype: torch.dtype = torch.int64,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (a constant)
) -> Tensor:
    """Integers ``round(top * exp(-d / steps)) + floor`` for ``d`` = 0, 1, ...

    Computed in decimal arithmetic, which is the same everywhere, in a context of its own: a host
    may have another rounding, precision or traps. The table ends where the exponential rounds to
    zero; larger distances use its last entry.

    Args:
        top: The first entry, less ``floor``.
        floor: Least entry.
        squared_steps: ``steps ** 2``, since ``steps`` may be no integer.
        dtype: Of the table.
        device: Where it lies.
    """
    values: list[int] = []
    own = Context(
        prec=50,
        rounding=ROUND_HALF_EVEN,
        Emin=MIN_EMIN,
        Emax=MAX_EMAX,
        capitals=1,
        clamp=0,
        flags=[],
        traps=[DivisionByZero, InvalidOperation, Overflow],
    )
    with localcontext(own):
        ratio = (-1 / Decimal(squared_steps).sqrt()).exp()
        weight = Decimal(top)
        while not values or values[-1] > floor:
            values.append(int(weight.to_integral_value()) + floor)
            weight *= ratio
    return torch.tensor(values, dtype=dtype, device=device)


def attention_weights(scores: Tensor, head_size: int) -> Tensor:
    """Integer attention weights 0..``ATTENTION_TOP`` from scores ``(..., keys)``, which it eats.

    Args:
        scores: Whole numbers, of which ``score_steps(head_size)`` make a nat; -1e9 blocks a key,
            and each row leaves one at least.
        head_size: Channels of a head.
    """
    squared = head_size * int(ACTIVATION_SCALE) ** 4
    table = exponential_table(ATTENTION_TOP, 0, squared, scores.dtype, scores.device)
    return _look_up(table, scores)


def score_steps(head_size: int) -> float:
    """Products of levels that make a nat of an attention score, ``sqrt(head_size)`` activations."""
    return float(head_size**0.5 * ACTIVATION_SCALE**2)


def frequencies(steps: Tensor) -> Tensor:
    """Integer frequencies ``(..., vocabulary)``, int32, from predictions, which it eats.

    ``PREDICTION_STEPS`` make a nat of a prediction.

    Each is at least 1; that of the best-predicted token is ``TOP_FREQUENCY``.
    """
    squared = PREDICTION_STEPS**2
    table = exponential_table(2**PREDICTION_BITS, 1, squared, torch.int32, steps.device)
    return _look_up(table, steps.round_())


def _look_up(table: Tensor, steps: Tensor) -> Tensor:
    """Entries of a table at the distance from the greatest step of a row, its last one beyond."""
    distance = torch.sub(steps.amax(-1, keepdim=True), steps, out=steps).clamp_max_(len(table) - 1)
    return table.index_select(0, distance.to(torch.int32).view(-1)).view(steps.shape)
