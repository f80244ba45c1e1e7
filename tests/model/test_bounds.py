"""The engine stays within its buffers, whatever a damaged memory, model or host hands it."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.errors import InvalidInputError, R3MemError
from r3mem_agents.model import MemoryTokens, ReversibleModel, checkpoint
from r3mem_agents.model.frozen.interface import Segments, Streams
from r3mem_agents.model.native.encoder import NativeEncoder
from r3mem_agents.model.native.expander import NativeExpander
from r3mem_agents.model.native.library import library, runnable
from r3mem_agents.model.native.superseder import NativeSuperseder
from r3mem_agents.model.rangecoder import RangeDecoder
from r3mem_agents.types import DEFAULT_MODEL

TINY = Path(__file__).parents[1] / "golden" / "tiny"
HELD = checkpoint.load(TINY)
MODEL = ReversibleModel(HELD)
CONFIG = MODEL.config
EXPANDERS = [
    NativeExpander(HELD.expander.config, HELD.expander.tensors, library(kernel))
    for kernel in runnable()
]
ARM = platform.machine().lower() in ("aarch64", "arm64")
TEXTS = ["The tide turned at 4:15, and nobody had seen the boat.", "zxq \x00\x1b[2J 🎉", "ok " * 90]
CODES = MODEL.compress(TEXTS)


@st.composite
def damaged(draw: st.DrawFn) -> MemoryTokens:
    """Memory tokens with bytes changed, cut off or made up, and gists of somebody else."""
    one = draw(st.sampled_from(CODES))
    code = bytearray(draw(st.one_of(st.just(one.code), st.binary(min_size=1, max_size=60))))
    for place, byte in draw(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)))):
        code[place % len(code)] = byte
    size = len(one.gists)
    gists = draw(st.one_of(st.just(one.gists), st.binary(min_size=size, max_size=size)))
    return replace(one, code=bytes(code[: draw(st.integers(1, len(code)))]), gists=gists)


@given(st.lists(damaged(), min_size=1, max_size=4))
def test_damaged_memory_tokens_are_refused_or_give_a_text(tokens: list[MemoryTokens]) -> None:
    with suppress(R3MemError):
        assert all(isinstance(text, str) for text in MODEL.expand(tokens))


@given(
    st.lists(st.tuples(st.integers(1, CONFIG.segment_tokens), st.booleans()), max_size=9),
    st.lists(st.binary(max_size=99), min_size=1, max_size=4),
    st.data(),
)
def test_any_bytes_expand_to_tokens(
    segments: list[tuple[int, bool]], codes: list[bytes], data: st.DataObject
) -> None:
    """On every kernel the same."""
    size = CONFIG.gist_bits // 8
    gists = b"".join(data.draw(st.binary(min_size=size, max_size=size)) for _ in segments)
    of = sorted(data.draw(st.integers(0, len(codes) - 1)) for _ in segments)
    known = Segments(
        np.array([count for count, _ in segments], np.int64),
        np.array([continued for _, continued in segments], bool),
        np.frombuffer(gists, np.uint8).reshape(-1, size),
    )
    found = [
        one.expand(known, Streams([RangeDecoder(code) for code in codes], np.array(of, np.int64)))
        for one in EXPANDERS
    ]
    assert ((found[0] >= 0) & (found[0] < CONFIG.vocabulary)).all()
    assert all(np.array_equal(tokens, found[0]) for tokens in found)


@given(st.binary(max_size=40), st.lists(st.lists(st.integers(0, 2**40), min_size=1, max_size=9)))
def test_any_bytes_decode_to_symbols(code: bytes, tables: list[list[int]]) -> None:
    decoder = RangeDecoder(code)
    for sizes in tables:
        cumulative = np.cumsum([0, *sizes, 1])  # the last symbol can be read, if no other can
        symbol = decoder.symbol(cumulative)
        assert 0 <= symbol <= len(sizes)
        assert cumulative[symbol] < cumulative[symbol + 1]


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def segments(*count: int, bytes_more: int = 0) -> Segments:
    gists = np.zeros((len(count), CONFIG.gist_bits // 8 + bytes_more), np.uint8)
    return Segments(numbers(*count), np.zeros(len(count), bool), gists)


def test_what_the_encoder_has_no_room_for_is_refused() -> None:
    encoder = NativeEncoder(HELD.encoder.config, HELD.encoder.tensors)
    positions, vocabulary = HELD.encoder.config.positions, HELD.encoder.config.vocabulary
    for pieces, count in (
        (numbers(1, vocabulary), numbers(2)),
        (numbers(1, -1), numbers(2)),
        (numbers(1, 2), numbers(3)),
        (numbers(1, 2), numbers(2, 0)),
        (np.ones(positions + 1, np.int64), numbers(positions + 1)),
    ):
        with pytest.raises(InvalidInputError):
            encoder.encode(pieces, count)


def test_what_the_superseder_has_no_room_for_is_refused() -> None:
    held = checkpoint.load(DEFAULT_MODEL)
    assert held.superseder is not None
    encoder = NativeEncoder(held.encoder.config, held.encoder.tensors)
    network = NativeSuperseder(held.superseder.config, held.superseder.tensors, encoder)
    positions, vocabulary = held.superseder.config.positions, held.encoder.config.vocabulary
    for pieces, count in (
        (numbers(1, vocabulary), numbers(1, 1)),
        (numbers(1, 2), numbers(2, 1)),
        (numbers(1, 2), numbers(2, 0)),
        (np.ones(positions + 2, np.int64), numbers(1, positions + 1)),
    ):
        with pytest.raises(InvalidInputError):
            network.compare(pieces, count[None])
    with pytest.raises(InvalidInputError):
        network.compare(numbers(1, 2), numbers(1, 1))


@pytest.mark.parametrize(
    ("known", "tokens"),
    [
        (segments(2), numbers(1, CONFIG.vocabulary)),
        (segments(2), numbers(-1, 1)),
        (segments(2), numbers(1)),
        (segments(0), numbers()),
        (segments(2, bytes_more=1), numbers(1, 1)),
        (segments(2, bytes_more=-1), numbers(1, 1)),
        (segments(CONFIG.segment_tokens + 1), np.ones(CONFIG.segment_tokens + 1, np.int64)),
    ],
)
def test_what_the_expander_has_no_room_for_is_refused(known: Segments, tokens: np.ndarray) -> None:
    with pytest.raises(InvalidInputError):
        EXPANDERS[0].measure(known, tokens)


@pytest.mark.parametrize("of", [numbers(0, 2), numbers(-1, 0), numbers(1, 0), numbers(0)])
def test_segments_of_no_stream_are_refused(of: np.ndarray) -> None:
    decoders = [RangeDecoder(b"ab"), RangeDecoder(b"cd")]
    with pytest.raises(InvalidInputError):
        EXPANDERS[0].expand(segments(3, 4), Streams(decoders, of))


DIRECTIONS = (1 << 22, 2 << 22, 3 << 22) if ARM else (0x400, 0x800, 0xC00)
"""Up, down and towards zero, as C's headers have them."""


@pytest.mark.skipif(sys.platform == "win32", reason="Python has no libm to ask there")
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_hosts_rounding_changes_no_code_and_stays(direction: int) -> None:
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    before = libm.fegetround()
    assert libm.fesetround(direction) == 0
    try:
        codes, texts, after = MODEL.compress(TEXTS), MODEL.expand(CODES), libm.fegetround()
    finally:
        libm.fesetround(before)
    assert (codes, texts, after) == (CODES, TEXTS, direction)
