from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from benchmarks.codec import peers
from benchmarks.errors import MissingPackageError
from r3mem_agents.cli.demo.costs import static_costs

TEXT = b"Could you book a table for two at seven, please?"


@pytest.mark.parametrize(
    ("tokens", "vocabulary", "size"),
    [(0, 8192, 0), (1, 8192, 2), (8, 8192, 13), (9, 8192, 15), (8, 8193, 14), (5, 256, 5)],
)
def test_packed_ids_take_whole_bits(tokens: int, vocabulary: int, size: int) -> None:
    assert peers.packed_bytes(tokens, vocabulary) == size


def test_static_costs_are_the_entropy_of_the_counts() -> None:
    costs = static_costs(np.array([7, 3, 1, 1], dtype=np.int64))  # 8, 4, 2, 2 of 16
    assert costs.tolist() == [1.0, 2.0, 3.0, 3.0]
    assert peers.static_bytes(costs, [0] * 8) == 1
    assert peers.static_bytes(costs, [0] * 8 + [1]) == 2
    assert peers.static_bytes(costs, []) == 0


def test_no_token_is_impossible() -> None:
    assert np.isfinite(static_costs(np.zeros(300, dtype=np.int64))).all()


def test_the_range_coder_needs_little_more_than_the_ideal() -> None:
    counts = np.array([1000, 300, 80, 20, 5, 0], dtype=np.int64)
    costs = static_costs(counts)
    ids = np.random.default_rng(0).choice(6, size=2000, p=(counts + 1) / (counts + 1).sum())
    ideal = peers.static_bytes(costs, ids.tolist())
    real = peers.StaticRangeCoder(counts).size(ids.tolist())
    assert real % 4 == 0
    assert ideal <= real <= ideal + 8
    assert peers.StaticRangeCoder(counts).size([]) == 0


def test_byte_coders_are_as_frugal_as_they_can_be() -> None:
    import brotli
    import zstandard

    coders = peers.byte_coders(None)
    assert set(coders) == {"zstd-19", "brotli-11"}
    usual = len(zstandard.ZstdCompressor(level=19).compress(TEXT))
    assert coders["zstd-19"](TEXT) < usual
    assert coders["brotli-11"](TEXT) == len(brotli.compress(TEXT, mode=1, quality=11))


def test_a_dictionary_helps_on_what_it_has_seen() -> None:
    generator = np.random.default_rng(0)
    words = TEXT.split() + [b"cinema", b"train", b"Lisbon", b"ticket", b"hello"]
    samples = [b" ".join(generator.permutation(words)) for _ in range(4000)]
    coders = peers.byte_coders(samples)
    assert coders["zstd-19 + dictionary"](samples[0]) < coders["zstd-19"](samples[0])


@pytest.mark.parametrize("package", ["zstandard", "brotli"])
def test_a_missing_peer_names_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"{package}.*--group bench"):
        peers.byte_coders(None)


def test_bits_of_a_vocabulary_are_those_of_its_largest_id() -> None:
    for vocabulary in (2, 255, 256, 257, 8192, 50_000):
        assert peers.packed_bytes(8, vocabulary) == math.ceil(math.log2(vocabulary))
