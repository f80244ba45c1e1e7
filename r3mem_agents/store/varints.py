"""Numbers of any size in few bytes: seven bits a byte, the lowest first (LEB128).

The high bit of a byte says that more follow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]


def varints(values: ArrayLike) -> bytes:
    """Numbers of 0 to 2**63 - 1, seven bits a byte, the lowest first."""
    numbers = np.asarray(values, np.int64)
    sizes = np.ones(len(numbers), np.int64)
    for bits in range(7, 63, 7):
        sizes += numbers >> bits > 0
    starts = sizes.cumsum() - sizes
    out = np.zeros(int(sizes.sum()), np.uint8)
    for place in range(int(sizes.max(initial=0))):
        there = sizes > place
        more = (sizes[there] > place + 1) << 7
        out[starts[there] + place] = numbers[there] >> 7 * place & 127 | more
    return out.tobytes()


def read_varints(data: NDArray[np.uint8]) -> Integers:
    """Undo ``varints``; an unfinished number at the end is left out."""
    [ends] = np.nonzero(data < 128)
    if not len(ends):
        return np.zeros(0, np.int64)
    starts = np.concatenate(([0], ends[:-1] + 1))
    data = data[: ends[-1] + 1]
    places = np.arange(len(data)) - np.repeat(starts, ends - starts + 1)
    return np.add.reduceat((data & 127).astype(np.int64) << 7 * places, starts)
