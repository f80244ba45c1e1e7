"""Which kernel multiplies integers on this processor; all of them count exactly."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.nn import functional as F

from r3mem_agents.model.scales import LEVELS


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

    With the processor's dot products of bytes (VNNI) it is several times faster; without them
    PyTorch's is 20 times slower (docs/LOG.md, 2026-11-25).
    """
    if not int8_kernel_is_exact():
        return False
    x, weight = (torch.ones((rows, 256), dtype=torch.int8, device="cpu") for rows in (64, 1024))
    wide_x, wide_weight = x.float(), weight.float()
    return is_faster(lambda: torch._int_mm(x, weight.t()), lambda: F.linear(wide_x, wide_weight))


def is_faster(one: Callable[[], Any], other: Callable[[], Any]) -> bool:
    """Whether the first of two functions takes less time, by the best of several runs.

    They run alternately, since a busy processor may hold up every run within a millisecond.
    """
    best = [math.inf, math.inf]
    for _ in range(8):
        for place, run in enumerate((one, other)):
            begun = time.perf_counter()
            run()
            best[place] = min(best[place], time.perf_counter() - begun)
    return best[0] < best[1]
