"""Laws of the range coder."""

from __future__ import annotations

from math import log2

from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.model.rangecoder import LARGEST_TOTAL, RangeDecoder, RangeEncoder

Interval = tuple[int, int, int]


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    total = draw(st.one_of(st.integers(1, 300), st.integers(1, LARGEST_TOTAL)))
    start = draw(st.integers(0, total - 1))
    size = draw(st.one_of(st.just(1), st.just(total - start), st.integers(1, total - start)))
    return start, size, total


def encode(symbols: list[Interval]) -> bytes:
    encoder = RangeEncoder()
    for symbol in symbols:
        encoder.encode(*symbol)
    return encoder.finish()


@given(st.lists(intervals(), max_size=60))
def test_what_was_encoded_is_decoded(symbols: list[Interval]) -> None:
    decoder = RangeDecoder(encode(symbols))
    for start, size, total in symbols:
        assert start <= decoder.target(total) < start + size
        decoder.consume(start, size)


@given(st.lists(intervals(), max_size=60))
def test_the_code_is_the_information_and_at_most_one_byte(symbols: list[Interval]) -> None:
    bits = sum(log2(total) - log2(size) for _, size, total in symbols)
    assert len(encode(symbols)) <= bits / 8 + 1.01


@given(st.binary(max_size=40), st.lists(st.integers(1, LARGEST_TOTAL), max_size=40))
def test_any_bytes_decode_to_something(code: bytes, totals: list[int]) -> None:
    decoder = RangeDecoder(code)
    for total in totals:
        target = decoder.target(total)
        assert 0 <= target < total
        decoder.consume(target, 1)


def test_carries_run_back_through_the_code() -> None:
    symbols = [(254, 1, 256)] + [(255, 1, 256)] * 20 + [(2**40 - 1, 1, 2**40)] * 5 + [(1, 1, 2)]
    decoder = RangeDecoder(encode(symbols))
    for start, size, total in symbols:
        assert decoder.target(total) == start
        decoder.consume(start, size)
