"""Laws of literal codes: raw LZMA, read in pieces."""

from __future__ import annotations

import base64
import lzma
import random
import tracemalloc

import pytest

from r3mem_agents.errors import ExpansionError
from r3mem_agents.model import memory_tokens
from r3mem_agents.model.memory_tokens import pack_literal, unpack_literal
from r3mem_agents.model.stream import HASH_BYTES, digest_of

PIECE = 100


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 5000])
def test_all_sizes_come_back(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_tokens, "_PIECE_BYTES", PIECE)
    for data in (bytes(size), random.Random(size).randbytes(size)):
        assert unpack_literal(pack_literal(data)) == (data, digest_of(data))


def test_what_ends_too_early_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_tokens, "_PIECE_BYTES", PIECE)
    code = pack_literal(random.Random(1).randbytes(300))
    for end in range(4, len(code)):
        with pytest.raises(ExpansionError, match="damaged"):
            unpack_literal(code[:end])


def test_a_damaged_code_does_not_fill_the_memory() -> None:
    size = 64 << 20
    code = bytearray(pack_literal(bytes(size)))
    code[1] ^= 1
    tracemalloc.start()
    try:
        data, digest = unpack_literal(bytes(code))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert digest_of(data) != digest
    assert most < size / 2  # of which the dictionary of LZMA is 16 MiB


@pytest.mark.parametrize("size", [1, 300, 70_000, 300_000])
def test_a_window_as_long_as_the_text_makes_the_code_of_a_larger_one(size: int) -> None:
    data = base64.b64encode(random.Random(size).randbytes(size)) * 2
    window = 1 << 24
    whole = {"id": lzma.FILTER_LZMA1, "preset": 9, "dict_size": window, "lc": 3, "lp": 0, "pb": 0}
    packed = lzma.compress(data, format=lzma.FORMAT_RAW, filters=[whole])
    assert pack_literal(data)[1 + HASH_BYTES :] == packed
