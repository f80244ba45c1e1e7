"""Numbers of any size in few bytes: seven bits a byte, the lowest first (LEB128).

The high bit of a byte says that more follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Integers = NDArray[np.int64]


def varints(values: ArrayLike) -> bytes:
    """Numbers of 0 to 2**63 - 1, seven bits a byte, the lowest first."""
    numbers = np.asarray(values, np.int64)
    greatest = int(numbers.max(initial=0))
    if greatest < 128:
        return numbers.astype(np.uint8).tobytes()
    sizes = np.ones(len(numbers), np.int64)
    for bits in range(7, greatest.bit_length(), 7):
        sizes += numbers >> bits > 0
    starts = sizes.cumsum() - sizes
    out = np.zeros(int(sizes.sum()), np.uint8)
    for place in range(int(sizes.max())):
        [there] = np.nonzero(sizes > place)
        more = (sizes[there] > place + 1) << 7
        out[starts[there] + place] = numbers[there] >> 7 * place & 127 | more
    return out.tobytes()


class Varints:
    """Numbers to be read from bytes; an unfinished one at the end is left out."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        more = data >= 128
        [places] = np.nonzero(more)
        # By places, which takes a quarter of the time that picking by truth values does.
        self._last = data.take(np.nonzero(~more)[0])
        self._low = data.take(places) & 127
        self._of = places - np.arange(len(places))

    def __len__(self) -> int:
        return len(self._last)

    def part(self, start: int, end: int, dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """The numbers from one place to another."""
        numbers = self._last[start:end].astype(dtype)
        first, last = self._of.searchsorted([start, end])
        of, low = self._of[first:last] - start, self._low[first:last]
        while len(of):  # most numbers have a single byte, and few more than two
            nearest = np.append(of[1:] != of[:-1], True)
            mine = of[nearest]
            numbers[mine] = numbers[mine] << 7 | low[nearest]
            of, low = of[~nearest], low[~nearest]
        return numbers


def first_varint(data: bytes) -> int:
    """The first number of some.

    Raises:
        ValueError: There is none.
    """
    number = 0
    for place, byte in enumerate(data):
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number
    raise ValueError("no number")
