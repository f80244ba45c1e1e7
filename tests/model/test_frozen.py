"""The contract of the frozen network: two implementations of it give the same bits."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import r3mem_agents
from r3mem_agents.model import ReversibleModel
from r3mem_agents.model.config import EncoderConfig, ModelConfig, SupersederConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.interface import (
    FrozenEncoder,
    FrozenExpander,
    FrozenSuperseder,
    Segments,
)
from r3mem_agents.model.schedule import Schedule
from r3mem_agents.model.trainable import Encoder, Expander, Superseder
from tests.model.plain import PlainEncoder, PlainExpander, PlainSuperseder

ROOT = Path(r3mem_agents.__file__).parent

SIZES: Any = {"hidden": 48, "layers": 3, "heads": 3, "feedforward": 1536, "biased": True}
"""Wider than the widest sum that is taken at once, and a head size whose root is no integer."""


@pytest.fixture(scope="module")
def networks() -> tuple[Encoder, Superseder, Expander]:
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig(vocabulary=40, positions=24, **SIZES))
    superseder = Superseder(SupersederConfig(positions=12, compared=8, **SIZES))
    expander = Expander(ModelConfig(vocabulary=60, classes=6, rounds=5, **SIZES))
    with torch.no_grad():
        for network in (encoder, superseder, expander):
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return encoder, superseder, expander


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


def segments_of(random: np.random.Generator, size: int) -> tuple[Segments, np.ndarray]:
    count = random.integers(1, 65, size)
    gists = random.integers(0, 256, (size, 32)).astype(np.uint8)
    tokens = random.integers(0, 60, (size, int(count.max())))
    return Segments(count, random.random(size) > 0.5, gists), tokens


def same_gists(one: FrozenEncoder, other: FrozenEncoder, random: np.random.Generator) -> None:
    count = random.integers(1, 25, 7)
    pieces = random.integers(0, one.config.vocabulary, (7, int(count.max())))
    assert np.array_equal(one.encode(pieces, count), other.encode(pieces, count))


def same_pairs(one: FrozenSuperseder, other: FrozenSuperseder, random: np.random.Generator) -> None:
    older, newer = random.integers(1, 13, (2, 7))
    pieces = random.integers(0, 40, (7, int((older + newer).max())))
    assert np.array_equal(one.compare(pieces, older, newer), other.compare(pieces, older, newer))


def same_tokens(one: FrozenExpander, other: FrozenExpander, random: np.random.Generator) -> None:
    segments, tokens = segments_of(random, 5)
    measured, again = one.measure(segments, tokens), other.measure(segments, tokens)
    for name in ("start", "size", "total"):
        assert np.array_equal(getattr(measured, name), getattr(again, name))
    first, second = one.expand(segments), other.expand(segments)
    seen = np.zeros_like(tokens)
    for rows, places in Schedule.of(64, one.config.rounds).rounds(segments.count):
        assert np.array_equal(first.classes(seen), second.classes(seen))
        classes = tokens[rows, places] // one.config.class_size
        assert np.array_equal(first.tokens(classes), second.tokens(classes))
        seen[rows, places] = tokens[rows, places]


def test_plain_numpy_gives_the_same_bits(
    networks: tuple[Encoder, Superseder, Expander], random: np.random.Generator
) -> None:
    encoder, superseder, expander = networks
    reader = encoder.freeze()
    comparing = superseder.freeze(reader.embedding)
    same_gists(reader, PlainEncoder(reader), random)
    same_pairs(comparing, PlainSuperseder(comparing, reader), random)
    same_tokens(expander.freeze(), PlainExpander(expander.freeze()), random)


def test_plain_numpy_gives_the_bits_of_the_bundled_model(random: np.random.Generator) -> None:
    model = ReversibleModel.from_pretrained()
    pieces = random.integers(0, model.encoder.config.vocabulary, (2, 9))
    count = np.array([4, 9])
    plain = PlainEncoder(model.encoder)
    assert np.array_equal(model.encoder.encode(pieces, count), plain.encode(pieces, count))
    segments = Segments(count, np.array([False, True]), random.integers(0, 256, (2, 32), np.uint8))
    tokens = random.integers(0, model.config.vocabulary, (2, 9))
    measured, again = (
        one.measure(segments, tokens) for one in (model.expander, PlainExpander(model.expander))
    )
    assert np.array_equal(measured.start, again.start)
    assert np.array_equal(measured.total, again.total)


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

    for name in ("codec", "forward", "comparing", "frozen.interface"):
        assert "torch" not in imported(f"r3mem_agents.model.{name}")
    assert "torch" in imported("r3mem_agents.model.frozen.encoder")


def test_the_tensors_of_a_frozen_network_are_those_that_are_listed(
    networks: tuple[Encoder, Superseder, Expander],
) -> None:
    encoder, superseder, expander = networks
    frozen = encoder.freeze()
    for network, listed in (
        (frozen, shapes.encoder(encoder.config)),
        (superseder.freeze(frozen.embedding), shapes.superseder(superseder.config)),
        (expander.freeze(), shapes.expander(expander.config)),
    ):
        assert {name: tuple(held.shape) for name, held in network.tensors.items()} == listed


def test_a_thawed_network_freezes_to_what_it_was(
    networks: tuple[Encoder, Superseder, Expander],
) -> None:
    encoder, superseder, expander = networks
    reader, writer = encoder.freeze(), expander.freeze()
    comparing = superseder.freeze(reader.embedding)
    for frozen, again in (
        (reader, Encoder.thaw(reader).freeze()),
        (writer, Expander.thaw(writer).freeze()),
        (comparing, Superseder.thaw(comparing).freeze(reader.embedding)),
    ):
        for name, tensor in frozen.tensors.items():
            assert torch.equal(again.tensors[name], tensor), name
