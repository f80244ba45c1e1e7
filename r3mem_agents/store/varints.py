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
    if numbers.max(initial=0) < 128:
        return numbers.astype(np.uint8).tobytes()
    sizes = np.ones(len(numbers), np.int64)
    for bits in range(7, 63, 7):
        sizes += numbers >> bits > 0
    starts = sizes.cumsum() - sizes
    out = np.zeros(int(sizes.sum()), np.uint8)
    for place in range(int(sizes.max())):
        [there] = np.nonzero(sizes > place)
        more = (sizes[there] > place + 1) << 7
        out[starts[there] + place] = numbers[there] >> 7 * place & 127 | more
    return out.tobytes()


def read_varints(data: NDArray[np.uint8]) -> Integers:
    """Undo ``varints``; an unfinished number at the end is left out."""
    [ends] = np.nonzero(data < 128)
    numbers = data[ends].astype(np.int64)
    sizes = np.diff(ends, prepend=-1)
    for place in range(1, int(sizes.max(initial=1))):  # most numbers have a single byte
        [more] = np.nonzero(sizes > place)
        numbers[more] = numbers[more] << 7 | data[ends[more] - place] & 127
    return numbers
