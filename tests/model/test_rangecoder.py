"""Laws of the range coder."""

from __future__ import annotations

from math import log2

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.model.rangecoder import LARGEST_TOTAL, RangeDecoder, encode

Interval = tuple[int, int, int]


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    total = draw(st.one_of(st.integers(1, 300), st.integers(1, LARGEST_TOTAL)))
    start = draw(st.integers(0, total - 1))
    size = draw(st.one_of(st.just(1), st.just(total - start), st.integers(1, total - start)))
    return start, size, total


def code_of(symbols: list[Interval]) -> bytes:
    return encode(np.array(symbols, np.int64).reshape(-1, 3).T)


def read(decoder: RangeDecoder, start: int, size: int, total: int) -> int:
    """The next symbol of three: what lies before an interval, in it, and after it."""
    return decoder.symbol(np.array([0, start, start + size, total]))


@given(st.lists(intervals(), max_size=60))
def test_what_was_encoded_is_decoded(symbols: list[Interval]) -> None:
    decoder = RangeDecoder(code_of(symbols))
    for symbol in symbols:
        assert read(decoder, *symbol) == 1


@given(st.lists(intervals(), max_size=60))
def test_the_code_is_the_information_and_at_most_one_byte(symbols: list[Interval]) -> None:
    bits = sum(log2(total) - log2(size) for _, size, total in symbols)
    assert len(code_of(symbols)) <= bits / 8 + 1.01


@given(st.binary(max_size=40), st.lists(st.integers(1, LARGEST_TOTAL), max_size=40))
def test_any_bytes_decode_to_something(code: bytes, totals: list[int]) -> None:
    decoder = RangeDecoder(code)
    for total in totals:
        assert 0 <= decoder.uniform(total) < total


@given(st.lists(intervals(), max_size=60))
def test_the_code_is_that_of_arithmetic_without_limits(symbols: list[Interval]) -> None:
    """Intervals of intervals as Python's integers have them, rounded where the coder rounds."""
    low, size, kept = 0, (1 << 64) - 1, 0
    for start, width, total in symbols:
        step = size // total
        low, size = low + step * start, step * width
        while size < 1 << 56:
            low, size, kept = low << 8, size << 8, kept + 8
    grid, last = 1 << (64 + kept), low + size
    while -(-low // grid) * grid >= last:
        grid >>= 8
    point = -(-low // grid) * grid
    assert code_of(symbols) == point.to_bytes(8 + kept // 8, "big").rstrip(b"\0")


def test_carries_run_back_through_the_code() -> None:
    symbols = [(254, 1, 256)] + [(255, 1, 256)] * 20 + [(2**40 - 1, 1, 2**40)] * 5 + [(1, 1, 2)]
    decoder = RangeDecoder(code_of(symbols))
    for symbol in symbols:
        assert read(decoder, *symbol) == 1
