"""The contract of the frozen network: two implementations of it give the same bits."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import r3mem_agents
from r3mem_agents.model import checkpoint
from r3mem_agents.model.checkpoint import Stored
from r3mem_agents.model.config import EncoderConfig, ModelConfig, SupersederConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.interface import (
    FrozenEncoder,
    FrozenExpander,
    FrozenSuperseder,
    Segments,
    Streams,
)
from r3mem_agents.model.native import threads
from r3mem_agents.model.native.encoder import NativeEncoder
from r3mem_agents.model.native.expander import NativeExpander
from r3mem_agents.model.native.library import library, runnable
from r3mem_agents.model.native.superseder import NativeSuperseder
from r3mem_agents.model.predictions import Intervals
from r3mem_agents.model.rangecoder import RangeDecoder, encode
from r3mem_agents.model.reference.loading import (
    stored,
    torch_encoder,
    torch_expander,
    torch_superseder,
)
from r3mem_agents.model.schedule import Schedule
from r3mem_agents.model.trainable import Encoder, Expander, Superseder
from r3mem_agents.types import DEFAULT_MODEL
from tests.model.plain import PlainEncoder, PlainExpander, PlainSuperseder, parts_of

ROOT = Path(r3mem_agents.__file__).parent


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


@dataclass(frozen=True)
class Three:
    """The networks of a model, as a checkpoint holds them."""

    encoder: Stored[EncoderConfig]
    superseder: Stored[SupersederConfig]
    expander: Stored[ModelConfig]


def networks(seed: int, sizes: dict[str, Any], expander: dict[str, Any]) -> Three:
    """Networks with random weights.

    Args:
        seed: Of the weights.
        sizes: Of the stacks of all three.
        expander: Sizes of the expander alone.
    """
    torch.manual_seed(seed)
    encoder = Encoder(EncoderConfig(vocabulary=40, positions=24, **sizes))
    superseder = Superseder(SupersederConfig(positions=12, compared=8, **sizes))
    writer = Expander(ModelConfig(vocabulary=60, **sizes, **expander))
    with torch.no_grad():
        for network in (encoder, superseder, writer):
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.3)
    reader = encoder.freeze()
    comparing = superseder.freeze(reader.embedding)
    return Three(stored(reader), stored(comparing), stored(writer.freeze()))


@st.composite
def some_networks(draw: st.DrawFn) -> Three:
    heads = draw(st.integers(1, 4))
    sizes = {
        "hidden": heads * draw(st.integers(1, 40)),
        "heads": heads,
        "layers": draw(st.integers(1, 3)),
        "feedforward": draw(st.sampled_from([1, 7, 64, 1030, 2049, 3100])),
        "biased": draw(st.booleans()),
    }
    span = draw(st.sampled_from([5, 33, 64]))
    expander = {
        "classes": draw(st.sampled_from([1, 2, 6, 60])),
        "rounds": draw(st.integers(2, min(span, 9))),
        "gist_bits": 8 * draw(st.integers(1, 6)),
        "segment_tokens": span,
    }
    return networks(draw(st.integers(0, 99)), sizes, expander)


class Native:
    """The engine, with one of its kernels."""

    def __init__(self, kernel: str) -> None:
        self.engine = library(kernel)

    def encoder(self, of: Three) -> FrozenEncoder:
        return NativeEncoder(of.encoder.config, of.encoder.tensors, self.engine)

    def superseder(self, of: Three) -> FrozenSuperseder:
        reader = NativeEncoder(of.encoder.config, of.encoder.tensors, self.engine)
        return NativeSuperseder(of.superseder.config, of.superseder.tensors, reader, self.engine)

    def expander(self, of: Three) -> FrozenExpander:
        return NativeExpander(of.expander.config, of.expander.tensors, self.engine)


class InTorch:
    """PyTorch."""

    def encoder(self, of: Three) -> FrozenEncoder:
        return torch_encoder(of.encoder)

    def superseder(self, of: Three) -> FrozenSuperseder:
        return torch_superseder(of.superseder, torch_encoder(of.encoder).embedding)

    def expander(self, of: Three) -> FrozenExpander:
        return torch_expander(of.expander)


class Plain:
    """Plain numpy."""

    def encoder(self, of: Three) -> FrozenEncoder:
        return PlainEncoder(of.encoder)

    def superseder(self, of: Three) -> FrozenSuperseder:
        return PlainSuperseder(of.superseder, of.encoder)

    def expander(self, of: Three) -> FrozenExpander:
        return PlainExpander(of.expander)


KERNELS = [Native(kernel) for kernel in runnable()]
"""All that this processor runs, not only the one that is chosen."""


def segments_of(random: np.random.Generator, config: ModelConfig, many: int) -> Segments:
    count = random.integers(1, config.segment_tokens + 1, many)
    gists = random.integers(0, 256, (many, config.gist_bits // 8)).astype(np.uint8)
    return Segments(count, random.random(many) > 0.5, gists)


def written(
    config: ModelConfig, segments: Segments, measured: Intervals, of: np.ndarray
) -> list[bytes]:
    """Streams of tokens that were measured, ``of`` being the stream of each segment."""
    starts = np.cumsum(segments.count) - segments.count
    intervals = np.stack((measured.start, measured.size, measured.total))
    symbols: list[list[np.ndarray]] = [[] for _ in range(int(of.max()) + 1)]
    schedule = Schedule.of(config.segment_tokens, config.rounds)
    for rows, places in schedule.rounds(segments.count):
        for symbol in range(2):
            for row, place in zip(rows, places, strict=True):
                symbols[of[row]].append(intervals[:, symbol, starts[row] + place])
    return [encode(np.stack(some, 1)) for some in symbols]


def read(
    network: FrozenExpander, segments: Segments, codes: list[bytes], of: np.ndarray
) -> np.ndarray:
    return network.expand(segments, Streams([RangeDecoder(code) for code in codes], of))


def check_same(one: Any, others: list[Any], of: Three, random: np.random.Generator) -> None:
    """All implementations give the same bits, whatever they are asked."""
    count = random.integers(1, 25, 7)
    pieces = random.integers(0, 40, int(count.sum()))
    gists = one.encoder(of).encode(pieces, count)
    pairs = random.integers(1, 13, (7, 2))
    both = random.integers(0, 40, int(pairs.sum()))
    compared = one.superseder(of).compare(both, pairs)
    config, writer = of.expander.config, one.expander(of)
    segments, stream = segments_of(random, config, 5), np.array([0, 1, 1, 2, 3])
    tokens = random.integers(0, config.vocabulary, int(segments.count.sum()))
    measured = writer.measure(segments, tokens)
    codes = written(config, segments, measured, stream)
    noise = [random.bytes(int(size)) for size in random.integers(0, 40, 4)]
    assert np.array_equal(read(writer, segments, codes, stream), tokens)
    of_noise = read(writer, segments, noise, stream)
    for other in others:
        assert np.array_equal(other.encoder(of).encode(pieces, count), gists)
        assert np.array_equal(other.superseder(of).compare(both, pairs), compared)
        again = other.expander(of)
        for name in ("start", "size", "total"):
            found = getattr(again.measure(segments, tokens), name)
            assert np.array_equal(found, getattr(measured, name))
        assert np.array_equal(read(again, segments, codes, stream), tokens)
        assert np.array_equal(read(again, segments, noise, stream), of_noise)


@given(of=some_networks(), seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_the_engine_gives_the_bits_of_pytorch(of: Three, seed: int) -> None:
    check_same(InTorch(), KERNELS, of, np.random.default_rng(seed))


def test_plain_numpy_gives_the_same_bits(random: np.random.Generator) -> None:
    """With products wider than a sum that is taken at once, and a head size of no whole root."""
    sizes = {"hidden": 48, "layers": 3, "heads": 3, "feedforward": 1536, "biased": True}
    of = networks(0, sizes, {"classes": 6, "rounds": 5})
    check_same(Plain(), [InTorch(), *KERNELS], of, random)


@pytest.mark.parametrize("one", [InTorch(), *KERNELS])
def test_the_bundled_model_gives_the_bits_of_plain_numpy(
    one: Any, random: np.random.Generator
) -> None:
    held = checkpoint.load(DEFAULT_MODEL)
    assert held.superseder is not None
    of, plain = Three(held.encoder, held.superseder, held.expander), Plain()
    count = np.array([4, 9])
    pieces = random.integers(0, held.encoder.config.vocabulary, 13)
    wanted = plain.encoder(of).encode(pieces, count)
    assert np.array_equal(one.encoder(of).encode(pieces, count), wanted)
    wanted = plain.superseder(of).compare(pieces, count[None])
    assert np.array_equal(one.superseder(of).compare(pieces, count[None]), wanted)
    gists = random.integers(0, 256, (2, 32)).astype(np.uint8)
    segments = Segments(count, np.array([False, True]), gists)
    tokens = random.integers(0, held.expander.config.vocabulary, 13)
    measured = plain.expander(of).measure(segments, tokens)
    codes = written(held.expander.config, segments, measured, np.array([0, 0]))
    found = one.expander(of)
    assert np.array_equal(found.measure(segments, tokens).total, measured.total)
    assert np.array_equal(read(found, segments, codes, np.array([0, 0])), tokens)


@pytest.mark.parametrize("one", [InTorch(), *KERNELS])
def test_a_batch_gives_what_each_gives_alone(one: Any, random: np.random.Generator) -> None:
    """Enough of each for several threads and several batches."""
    sizes = {"hidden": 32, "layers": 2, "heads": 2, "feedforward": 40}
    of = networks(1, sizes, {"classes": 6, "rounds": 6})
    count = random.integers(1, 25, 90)
    pieces = random.integers(0, 40, int(count.sum()))
    reader, writer = one.encoder(of), one.expander(of)
    alone = [
        reader.encode(some, many[None])
        for some, many in zip(parts_of(pieces, count), count, strict=True)
    ]
    assert np.array_equal(reader.encode(pieces, count), np.concatenate(alone))
    segments = segments_of(random, of.expander.config, 90)
    tokens = random.integers(0, 60, int(segments.count.sum()))
    measured, begin = writer.measure(segments, tokens), 0
    for row, some in enumerate(parts_of(tokens, segments.count)):
        one_of = slice(row, row + 1)
        few = Segments(segments.count[one_of], segments.continued[one_of], segments.gists[one_of])
        part = measured.part(slice(begin, begin + len(some)))
        assert np.array_equal(writer.measure(few, some).start, part.start)
        begin += len(some)
    stream = np.sort(random.integers(0, 40, 90))
    stream = np.unique(stream, return_inverse=True)[1]
    codes = written(of.expander.config, segments, measured, stream)
    assert np.array_equal(read(writer, segments, codes, stream), tokens)


@pytest.mark.parametrize("one", KERNELS)
def test_a_team_gives_what_one_thread_gives(
    one: Any, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one text, one pair, one segment and one stream, whose positions several threads share."""
    held = checkpoint.load(DEFAULT_MODEL)
    assert held.superseder is not None
    of = Three(held.encoder, held.superseder, held.expander)
    reader, comparing, writer = one.encoder(of), one.superseder(of), one.expander(of)
    pieces = random.integers(0, held.encoder.config.vocabulary, 161)
    gists_of = random.integers(0, 256, (7, 32)).astype(np.uint8)
    segments = Segments(np.full(7, 60), np.arange(7) > 0, gists_of)
    tokens, stream = random.integers(0, held.expander.config.vocabulary, 420), np.zeros(7, int)
    first = Segments(segments.count[:1], segments.continued[:1], segments.gists[:1])
    found = []
    for cores in (1, 3):
        monkeypatch.setattr(threads, "allowed", lambda cores=cores: cores)
        threads._pool.cache_clear()
        gists = reader.encode(pieces[:90], np.array([90]))
        both = comparing.compare(pieces, np.array([[90, 71]]))
        measured = writer.measure(segments, tokens)
        alone = writer.measure(first, tokens[:60])
        codes = written(held.expander.config, segments, measured, stream)
        assert np.array_equal(read(writer, segments, codes, stream), tokens)
        found.append([gists, both, measured.start, measured.total, alone.start, alone.size, codes])
    for few, many in zip(*found, strict=True):
        assert np.array_equal(few, many)


def test_nothing_gives_nothing() -> None:
    of = networks(2, {"hidden": 8, "layers": 1, "heads": 1, "feedforward": 8}, {"classes": 6})
    none, one = np.zeros(0, np.int64), KERNELS[0]
    assert one.encoder(of).encode(none, none).shape == (0, 256)
    assert one.superseder(of).compare(none, none.reshape(0, 2)).shape == (0, 2, 8)
    segments = Segments(none, none.astype(bool), np.zeros((0, 32), np.uint8))
    assert one.expander(of).measure(segments, none).start.shape == (2, 0)
    assert len(read(one.expander(of), segments, [], none)) == 0


def test_what_stands_behind_the_contract_is_all_that_knows_pytorch() -> None:
    """So that another implementation needs none: texts, streams and the codec are numpy's."""

    def imported(name: str) -> set[str]:
        path = ROOT / f"{name.removeprefix('r3mem_agents.').replace('.', '/')}.py"
        if not path.is_file():
            return {name}
        found = {name}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= imported(node.module)
            elif isinstance(node, ast.Import):
                found |= {one.name for one in node.names}
        return found

    for name in ("reversible", "codec", "forward", "comparing", "checkpoint", "frozen.interface"):
        assert "torch" not in imported(f"r3mem_agents.model.{name}")
    assert "torch" in imported("r3mem_agents.model.reference.encoder")


SMALL: dict[str, Any] = {"hidden": 12, "layers": 2, "heads": 3, "feedforward": 8}


def test_the_tensors_of_a_frozen_network_are_those_that_are_listed() -> None:
    of = networks(3, SMALL, {"classes": 6})
    for network, listed in (
        (of.encoder, shapes.encoder(of.encoder.config)),
        (of.superseder, shapes.superseder(of.superseder.config)),
        (of.expander, shapes.expander(of.expander.config)),
    ):
        assert {name: held.shape for name, held in network.tensors.items()} == listed


def test_a_thawed_network_freezes_to_what_it_was() -> None:
    of = networks(4, SMALL, {"classes": 6})
    reader, writer = torch_encoder(of.encoder), torch_expander(of.expander)
    comparing = torch_superseder(of.superseder, reader.embedding)
    for frozen, again in (
        (reader, Encoder.thaw(reader).freeze()),
        (writer, Expander.thaw(writer).freeze()),
        (comparing, Superseder.thaw(comparing).freeze(reader.embedding)),
    ):
        for name, tensor in frozen.tensors.items():
            assert torch.equal(again.tensors[name], tensor), name
