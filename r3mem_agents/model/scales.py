"""The units that the frozen network counts in, and its table of the exponential: plain integers.

Whatever computes the frozen network (``frozen``) shares these numbers.
"""

from __future__ import annotations

from functools import cache
from math import isqrt

LEVELS = 127
"""Largest magnitude of a rounded activation or weight."""

EXACT_WIDTH = 1024
"""Widest sum of 127 x 127 products that is taken at once: 1,040 stay below 2**24."""

ACTIVATION_SCALE = 16.0
"""Levels per unit of a normalized activation: a range of -7.9..7.9 in steps of 1/16."""

STREAM_SCALE = 128.0
"""Steps per unit of the residual streams, which count in steps."""

EMBEDDING_GAIN = 50.0 * STREAM_SCALE
"""Steps per unit of the expander's tied embedding: 50 brings it near unit scale."""

ATTENTION_TOP = 255
"""Integer weight of the best-scored key: all levels are whole in bfloat16, so not even PyTorch's
``set_float32_matmul_precision("medium")`` changes a product (docs/LOG.md, 2026-11-21: no loss)."""

NOWHERE = -1e9
"""Score of a key that must not be looked at."""

PREDICTION_STEPS = 32
"""Steps per nat of predictions."""

PREDICTION_BITS = 24
"""Resolution of predictions: shares below 2**-24 of the best one are all alike."""

TOP_FREQUENCY = 2**PREDICTION_BITS + 1
"""Frequency of the best-predicted symbol."""

_FRACTION_BITS = 160
"""Of numbers below one, in the tables of the exponential: far more than their rounding needs."""


def score_steps(head_size: int) -> float:
    """Products of levels per nat of an attention score: ``sqrt(head_size)`` activations."""
    return float(head_size**0.5 * ACTIVATION_SCALE**2)


def exponential(top: int, floor: int, squared_steps: int) -> list[int]:
    """Integers ``round(top * exp(-d / steps)) + floor`` for ``d`` = 0, 1, ...

    Computed in integers, which are the same everywhere. The list ends where the exponential rounds
    to zero; larger distances use its last entry.

    Args:
        top: The first entry, less ``floor``.
        floor: Smallest entry.
        squared_steps: ``steps ** 2``, since ``steps`` may be no integer.
    """
    one = 1 << _FRACTION_BITS
    step = isqrt(one * one // squared_steps)
    grown, term, power = one, one, 0  # exp(1 / steps), by its series
    while term:
        power += 1
        term = term * step // (power * one)
        grown += term
    ratio, weight, half = one * one // grown, top * one, one // 2
    values: list[int] = []
    while not values or values[-1] > floor:
        values.append((weight + half >> _FRACTION_BITS) + floor)
        weight = weight * ratio >> _FRACTION_BITS
    return values


@cache
def attention_exponential(head_size: int) -> tuple[int, ...]:
    """Weights of keys by how far their score lies below the best one."""
    return tuple(exponential(ATTENTION_TOP, 0, head_size * int(ACTIVATION_SCALE) ** 4))


def frequency_exponential() -> list[int]:
    """Frequencies of symbols by how many steps their prediction lies below the best one."""
    return exponential(2**PREDICTION_BITS, 1, PREDICTION_STEPS**2)
