"""Range coder over integer frequencies, with a tail of less than one byte, by the engine.

``constriction`` codes the same symbols, but writes 32-bit words, which costs a short turn 4 bytes
and more at its end, and builds its models from floats; here frequencies are integers from end to
end, and the code is cut after the last byte that a decoder needs (docs/LOG.md, 2026-11-21).
``engine/rangecoder.c`` says by which arithmetic.
"""

from __future__ import annotations

from ctypes import byref

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.native.library import ReaderState, library, pointer

LARGEST_TOTAL = 1 << 48
"""Totals stay far below the smallest range, 2**56, so that rounding costs nothing to speak of."""

Unsigned = NDArray[np.uint64]


def encode(intervals: NDArray[np.int64]) -> bytes:
    """The code of symbols, each an interval ``start .. start + size`` of ``0 .. total``.

    It is the shortest one whose every continuation by zeros lies in the last interval.

    Args:
        intervals: ``(3, symbols)``, their starts, sizes and totals: ``0 <= start``, ``1 <= size``,
            ``start + size <= total <= LARGEST_TOTAL``.
    """
    start, size, total = np.ascontiguousarray(intervals)
    code = np.empty(8 * len(start) + 16, np.uint8)
    written = library().calls.r3_write(
        len(start), pointer(start), pointer(size), pointer(total), pointer(code)
    )
    return code[:written].tobytes()


class RangeDecoder:
    """Reads what ``encode`` wrote, and zeros past its end.

    Attributes:
        state: Where it is, as the engine sees it.
    """

    def __init__(self, code: bytes) -> None:
        self._code = np.frombuffer(code, np.uint8)
        self.state = ReaderState()
        library().calls.r3_read_begin(byref(self.state), pointer(self._code), len(code))

    def symbol(self, cumulative: NDArray[np.int64]) -> int:
        """The next symbol under cumulative frequencies, the first of which is 0."""
        return int(
            library().calls.r3_read_symbol(
                byref(self.state), pointer(cumulative), len(cumulative) - 1
            )
        )

    def uniform(self, total: int) -> int:
        """The next number below ``total``, all of which are equally likely."""
        return int(library().calls.r3_read_uniform(byref(self.state), total))
