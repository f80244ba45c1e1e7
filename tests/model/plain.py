"""The contract of the frozen network once more, in plain numpy: one text at a time, no batches.

Nothing here is fast. It is what another implementation is compared with, bit for bit, and shows
that ``interface`` says enough to write one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.checkpoint import Stored
from r3mem_agents.model.config import EncoderConfig, ModelConfig, StackConfig, SupersederConfig
from r3mem_agents.model.frozen.interface import Segments, Streams
from r3mem_agents.model.frozen.shapes import Tensors
from r3mem_agents.model.predictions import Frequencies, Integers, Intervals, Predictions
from r3mem_agents.model.scales import (
    ACTIVATION_SCALE,
    EMBEDDING_GAIN,
    EXACT_WIDTH,
    NOWHERE,
    PREDICTION_STEPS,
    STREAM_SCALE,
    attention_exponential,
    frequency_exponential,
    score_steps,
)
from r3mem_agents.model.schedule import CENTRE, ROLES, Schedule

Floats = NDArray[np.float32]


class Stack:
    """Matrices and couplings of a network, on streams ``(positions, hidden)`` in float32."""

    def __init__(self, config: StackConfig, tensors: Tensors) -> None:
        self._sizes = config
        self.held = tensors
        self._weights = np.array(attention_exponential(config.head_size))

    def matrix(self, name: str, x: Floats) -> Floats:
        levels, whole = self.held[f"{name}.levels"].astype(np.int64), x.astype(np.int64)
        total = np.zeros((len(x), len(levels)), np.float32)
        for start in range(0, levels.shape[1], EXACT_WIDTH):
            part = slice(start, start + EXACT_WIDTH)
            total = total + (whole[:, part] @ levels[:, part].T).astype(np.float32)
        total = total * self.held[f"{name}.scale"]
        bias = self.held.get(f"{name}.bias")
        return total if bias is None else total + bias

    def rows(self, name: str, index: Integers) -> Floats:
        scale = self.held[f"{name}.scale"][index] * np.float32(ACTIVATION_SCALE)
        found: Floats = self.held[f"{name}.levels"][index].astype(np.float32) * scale[:, None]
        return found

    def attention(self, layer: int, a: Floats, scores: Floats) -> Floats:
        """Scores ``(heads, positions, positions)`` are added to products."""
        name, size = f"stack.couplings.{layer}.attention", self._sizes.head_size
        mixed = to_levels(self.matrix(f"{name}.mix", normalize(a)))
        query, key, value = (
            part.reshape(len(a), -1, size).transpose(1, 0, 2) for part in np.split(mixed, 3, 1)
        )
        scores = query @ key.transpose(0, 2, 1) + scores
        below = np.minimum(scores.max(-1, keepdims=True) - scores, len(self._weights) - 1)
        weights = self._weights[below.astype(np.int64)]
        total = (weights @ value.astype(np.int64)).astype(np.float32)
        seen = np.rint(total / weights.sum(-1, keepdims=True).astype(np.float32))
        return np.rint(self.matrix(f"{name}.out", seen.transpose(1, 0, 2).reshape(len(a), -1)))

    def feedforward(self, layer: int, b: Floats) -> Floats:
        name = f"stack.couplings.{layer}.feedforward"
        h = self.matrix(f"{name}.widen", normalize(b))
        swish = np.clip(h + np.float32(3), np.float32(0), np.float32(6)) * h
        inner = to_levels(swish * np.float32(ACTIVATION_SCALE / 6))
        return np.rint(self.matrix(f"{name}.narrow", inner))

    def read(self, text: Floats) -> Floats:
        a = b = np.rint(text * np.float32(STREAM_SCALE))
        even = np.zeros((self._sizes.heads, len(text), len(text)), np.float32)
        for layer in range(self._sizes.layers):
            b = b + self.attention(layer, a, even)
            a = a + self.feedforward(layer, b)
        return normalize(a + b)


def parts_of(flat: Integers, count: Integers) -> list[Integers]:
    """What stands one after the other, apart."""
    return np.split(flat, np.cumsum(count)[:-1])


def to_levels(x: Floats) -> Floats:
    return np.rint(np.clip(x, np.float32(-127), np.float32(127)))


def normalize(x: Floats) -> Floats:
    total = (x * x).astype(np.float64).sum(-1, keepdims=True)
    least = ACTIVATION_SCALE**-2
    return to_levels(x / np.sqrt(total * (least / x.shape[-1]) + least).astype(np.float32))


class PlainEncoder:
    def __init__(self, frozen: Stored[EncoderConfig]) -> None:
        self.config = frozen.config
        self._stack = Stack(frozen.config, frozen.tensors)

    def encode(self, pieces: Integers, count: Integers) -> Floats:
        return np.concatenate([self._one(text) for text in parts_of(pieces, count)])

    def _one(self, pieces: Integers) -> Floats:
        text = self._stack.rows("embedding", pieces) + self._stack.held["position"][: len(pieces)]
        said = self._stack.read(text).sum(0, keepdims=True)
        return self._stack.matrix("to_gist", normalize(said))


class PlainSuperseder:
    def __init__(self, frozen: Stored[SupersederConfig], encoder: Stored[EncoderConfig]) -> None:
        self.config = frozen.config
        self._stack = Stack(frozen.config, frozen.tensors)
        self._encoder = Stack(encoder.config, encoder.tensors)

    def compare(self, pieces: Integers, count: Integers) -> Floats:
        pairs = zip(parts_of(pieces, count.sum(1)), count.tolist(), strict=True)
        return np.stack([self._one(both, older, newer) for both, (older, newer) in pairs])

    def _one(self, pieces: Integers, older: int, newer: int) -> Floats:
        place = np.concatenate([np.arange(older), np.arange(newer)])
        side = np.repeat([0, 1], [older, newer])
        text = self._encoder.rows("embedding", pieces)
        text = text + self._stack.held["position"][place] + self._stack.held["side"][side]
        states = self._stack.read(text)
        both = np.stack([states[side == one].sum(0) for one in (0, 1)])
        found, size = self._stack.matrix("read", normalize(both)), self.config.compared
        return np.stack([found[0, :size], found[1, size:]])


class PlainExpander:
    def __init__(self, frozen: Stored[ModelConfig]) -> None:
        self.config = frozen.config
        self._stack = Stack(frozen.config, frozen.tensors)
        self._schedule = Schedule.of(self.config.segment_tokens, self.config.rounds)
        self._table = np.array(frequency_exponential(), np.int32)

    def measure(self, segments: Segments, tokens: Integers) -> Intervals:
        size, found = self.config.class_size, []
        for states, true in zip(
            self.states(segments, tokens), parts_of(tokens, segments.count), strict=True
        ):
            classes, inside = self.classes(states), self.tokens(states, true // size)
            found.append(Intervals.of(Predictions(classes), Predictions(inside), true, size))
        return Intervals.join(found)

    def expand(self, segments: Segments, streams: Streams) -> Integers:
        """Runs everything anew in each round, with the tokens known by then."""
        starts = np.cumsum(segments.count) - segments.count
        tokens = np.zeros(int(segments.count.sum()), np.int64)
        for rows, places in self._schedule.rounds(segments.count):
            whole = list(self.states(segments, tokens))
            states = np.stack([whole[row][place] for row, place in zip(rows, places, strict=True)])
            decoders = [streams.decoders[stream] for stream in streams.of[rows].tolist()]
            predicted = Predictions(self.classes(states))
            classes = np.array([predicted.read(at, one) for at, one in enumerate(decoders)])
            predicted = Predictions(self.tokens(states, classes))
            inside = [predicted.read(at, one) for at, one in enumerate(decoders)]
            tokens[starts[rows] + places] = classes * self.config.class_size + inside
        return tokens

    def classes(self, states: Floats) -> Frequencies:
        return self._frequencies(self._stack.matrix("classes", states))

    def tokens(self, states: Floats, classes: Integers) -> Frequencies:
        size, held = self.config.class_size, self._stack.held
        index = classes[:, None] * size + np.arange(size)
        levels = held["embedding.levels"][index].astype(np.int64)
        counted = (levels @ states.astype(np.int64)[..., None])[..., 0].astype(np.float32)
        return self._frequencies(counted * held["embedding.scale"][index] + held["unigram"][index])

    def states(self, segments: Segments, tokens: Integers) -> Iterator[Floats]:
        """Final states ``(count, hidden)`` of each segment; of each round, given those before."""
        parts = parts_of(tokens, segments.count)
        for part, continued, gist in zip(parts, segments.continued, segments.gists, strict=True):
            yield self._states(len(part), bool(continued), gist, part)

    def _states(
        self, count: int, continued: bool, gist: NDArray[np.uint8], tokens: Integers
    ) -> Floats:
        held, config = self._stack.held, self.config
        place = np.arange(count)
        round_, role = (
            table[count, :count] for table in (self._schedule.round, self._schedule.role)
        )
        beside = place + CENTRE - role
        frame = held["role"][role] + held["after_start"][place]
        frame = frame + held["before_end"][count - 1 - place]
        frame = frame + held["edge"][role] * (round_ == 0)[:, None]
        given = self._stack.rows("embedding", tokens[np.clip(beside, 0, count - 1)])
        given = np.rint(given * np.float32(EMBEDDING_GAIN)) * (round_ > 0)[:, None]
        text = (np.rint(frame * np.float32(STREAM_SCALE)) + given).astype(np.float32)
        length = held["length"][count - 1 + continued * config.segment_tokens]
        signs = np.unpackbits(gist).astype(np.float32)[None] * 2 - 1
        slots = [
            np.rint(length * np.float32(STREAM_SCALE))[None],
            np.rint(self._stack.matrix("from_gist", signs * np.float32(ACTIVATION_SCALE))),
        ]
        b = np.concatenate([*slots, text])
        blank = np.rint(held["blank"] * np.float32(STREAM_SCALE))
        a = np.broadcast_to(blank, b.shape)
        scores = self._scores(round_, role, beside)
        for layer in reversed(range(1, config.layers)):
            a = a - self._stack.feedforward(layer, b)
            b = b - self._stack.attention(layer, a, scores[layer])
        return normalize(a - self._stack.feedforward(0, b))[2:]

    def _scores(self, round_: Integers, role: Integers, beside: Integers) -> Floats:
        """``(layers, heads, positions, positions)``."""
        span, count = self.config.segment_tokens, len(role)
        steps = np.float32(score_steps(self.config.head_size))
        table = np.rint(self._stack.held["backward_bias"] * steps).transpose(1, 2, 0)
        scores = np.full((*table.shape[:2], count + 2, count + 2), np.float32(NOWHERE))
        to_slots = ROLES * (2 * span + 1)
        between = to_slots + ROLES * 2
        scores[:, :, :2, :2] = table[:, :, between : between + 4].reshape(*table.shape[:2], 2, 2)
        scores[:, :, 2:, :2] = table[:, :, to_slots + role[:, None] * 2 + np.arange(2)]
        distance = beside[None] - np.arange(count)[:, None]
        looked = table[:, :, role[:, None] * (2 * span + 1) + distance + span]
        scores[:, :, 2:, 2:] = np.where(round_ <= round_[:, None], looked, np.float32(NOWHERE))
        return scores

    def _frequencies(self, nats: Floats) -> Frequencies:
        steps = np.rint(nats * np.float32(PREDICTION_STEPS))
        below = np.minimum(steps.max(-1, keepdims=True) - steps, len(self._table) - 1)
        found: Frequencies = self._table[below.astype(np.int64)]
        return found
