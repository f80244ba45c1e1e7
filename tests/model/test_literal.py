"""Laws of literal codes: raw LZMA, read in pieces."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from r3mem_agents.errors import ExpansionError
from r3mem_agents.model import memory_tokens
from r3mem_agents.model.memory_tokens import pack_literal, unpack_literal
from r3mem_agents.model.stream import digest_of

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
