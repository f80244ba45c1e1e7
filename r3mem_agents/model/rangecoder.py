"""Range coder over integer frequencies, with a tail of less than one byte.

``constriction`` codes the same symbols, but writes 32-bit words, which costs a short turn 4 bytes
and more at its end, and builds its models from floats; here frequencies are integers from end to
end, and the code is cut after the last byte that a decoder needs (docs/LOG.md, 2026-11-21).

Numbers follow G. N. N. Martin, "Range encoding" (1979), in 64 bits: big-endian bytes, a carry
runs back into what was written, and a decoder reads zeros past the end.
"""

from __future__ import annotations

_WIDTH = 64
_TOP = 1 << _WIDTH
_LOW = 1 << (_WIDTH - 8)
_MASK = _TOP - 1

LARGEST_TOTAL = 1 << 48
"""Totals stay far below the smallest range, 2**56, so that rounding costs nothing to speak of."""


class RangeEncoder:
    """Writes symbols, each as an interval ``start .. start + size`` of ``0 .. total``."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._low = 0
        self._range = _MASK

    def encode(self, start: int, size: int, total: int) -> None:
        """Append one symbol; ``0 <= start``, ``1 <= size``, ``start + size <= total``."""
        step = self._range // total
        self._low += step * start
        self._range = step * size
        if self._low >= _TOP:
            self._low -= _TOP
            self._carry()
        while self._range < _LOW:
            self._out.append(self._low >> (_WIDTH - 8))
            self._low = (self._low << 8) & _MASK
            self._range <<= 8

    def finish(self) -> bytes:
        """The shortest code whose every continuation by zeros lies in the last interval."""
        for kept in range(0, _WIDTH + 8, 8):
            grid = 1 << (_WIDTH - kept)
            point = -(-self._low // grid) * grid
            if point < self._low + self._range:
                break
        if point >= _TOP:
            point -= _TOP
            self._carry()
        tail = point.to_bytes(_WIDTH // 8, "big")
        return (bytes(self._out) + tail).rstrip(b"\x00")

    def _carry(self) -> None:
        place = len(self._out) - 1
        while self._out[place] == 255:
            self._out[place] = 0
            place -= 1
        self._out[place] += 1


class RangeDecoder:
    """Reads what a ``RangeEncoder`` wrote: ``target``, then ``consume`` of what was found there."""

    def __init__(self, code: bytes) -> None:
        self._code = code
        self._place = _WIDTH // 8
        self._value = int.from_bytes(code[: self._place].ljust(self._place, b"\x00"), "big")
        self._range = _MASK
        self._step = 1

    def target(self, total: int) -> int:
        """A number in ``0 .. total - 1`` that lies in the next symbol's interval."""
        self._step = self._range // total
        return min(self._value // self._step, total - 1)

    def consume(self, start: int, size: int) -> None:
        """Go past the symbol with this interval of the total just given to ``target``."""
        self._value -= self._step * start
        self._range = self._step * size
        while self._range < _LOW:
            byte = self._code[self._place] if self._place < len(self._code) else 0
            self._value = ((self._value << 8) | byte) & _MASK
            self._place += 1
            self._range <<= 8
