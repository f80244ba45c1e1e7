"""The frozen expander in the engine."""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import byref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.frozen import shapes
from r3mem_agents.model.frozen.interface import Segments, Streams
from r3mem_agents.model.native.bounds import shaped, whole
from r3mem_agents.model.native.library import (
    ExpanderOf,
    Library,
    ReaderState,
    SegmentsOf,
    checked,
    pointer,
)
from r3mem_agents.model.native.network import NativeNetwork
from r3mem_agents.model.native.threads import in_parts, within
from r3mem_agents.model.predictions import Integers, Intervals
from r3mem_agents.model.scales import frequency_exponential, score_steps
from r3mem_agents.model.schedule import Schedule

PANEL = 16
"""Outputs of a panel (``engine/product.h``): the tokens of a class are padded to whole ones."""

SEGMENTS_AT_ONCE = 32
"""Segments of an expansion whose keys and values, 0.2 MB each, stay in a cache; chosen."""


class NativeExpander(NativeNetwork):
    """``FrozenExpander`` by the engine.

    Args:
        config: Sizes of the network.
        tensors: What a checkpoint holds of it.
        engine: The library to compute it with; the fastest one by default.

    Raises:
        CheckpointError: The tensors do not fit the sizes.
    """

    def __init__(
        self, config: ModelConfig, tensors: shapes.Tensors, engine: Library | None = None
    ) -> None:
        super().__init__(config, tensors, shapes.expander(config), "expander", engine)
        self.config = config
        held, schedule = self.tensors, Schedule.of(config.segment_tokens, config.rounds)
        # The first coupling's attention is never needed: the inverse ends before it.
        steps = np.float32(score_steps(config.head_size))
        biases = np.rint(held["backward_bias"][:, 1:] * steps).transpose(1, 2, 0)
        self._tables: dict[str, NDArray[Any]] = {
            "bias": np.ascontiguousarray(biases, np.float32),
            "round_of": np.ascontiguousarray(schedule.round),
            "role_of": np.ascontiguousarray(schedule.role),
            "frequency": np.array(frequency_exponential(), np.int32),
        }
        names = ("blank", "role", "edge", "after_start", "before_end", "length")
        self._made = ExpanderOf(
            segment_tokens=config.segment_tokens,
            rounds=config.rounds,
            classes=config.classes,
            class_size=config.class_size,
            gist_bits=config.gist_bits,
            stack=self.stack,
            classes_of=self.matrix("classes"),
            tokens_of=self.matrix_of(*(self._by_class(name) for name in _OF_TOKENS)),
            from_gist=self.matrix("from_gist"),
            embedding=self.embedding,
            frequency_count=len(self._tables["frequency"]),
            **{name: pointer(held[name]) for name in names},
            **{name: pointer(table) for name, table in self._tables.items()},
        )

    def measure(self, segments: Segments, tokens: Integers) -> Intervals:
        """Where tokens lie among the frequencies of their predictions; see ``FrozenExpander``.

        Raises:
            InvalidInputError: A token is not in the vocabulary, or the segments are none.
        """
        segments = self._bounded(segments)
        tokens = whole(tokens, 0, self.config.vocabulary - 1, "tokens")
        shaped(tokens, (int(segments.count.sum()),), "tokens")
        ends = np.cumsum([0, *segments.count.tolist()])
        found = np.empty((3, 2, len(tokens)), np.int64)

        def measure(part: Integers, team: int | None) -> None:
            places = within(ends, part)
            some, with_them = tokens[places], _Handed(segments, part)
            intervals = np.empty((3, 2, len(some)), np.int64)
            checked(
                self.engine.calls.r3_measure(
                    byref(self._made),
                    team,
                    byref(with_them.made),
                    pointer(some),
                    pointer(intervals),
                )
            )
            found[:, :, places] = intervals

        in_parts(self.engine, measure, segments.count)
        return Intervals(*found)

    def expand(self, segments: Segments, streams: Streams) -> Integers:
        """Read the tokens of segments; see ``FrozenExpander``.

        Raises:
            InvalidInputError: The segments are none, or in no order of streams.
        """
        segments, many = self._bounded(segments), len(streams.decoders)
        stream = whole(streams.of, 0, many - 1, "streams")
        shaped(stream, segments.count.shape, "streams")
        if (np.diff(stream) < 0).any():
            raise InvalidInputError("the segments of a stream do not follow one another")
        first = np.searchsorted(stream, np.arange(many + 1))
        segments_of = np.diff(first)
        ends = np.concatenate([[0], np.cumsum(segments.count)])
        tokens = np.zeros(int(ends[-1]), np.int64)

        def expand(part: Integers, team: int | None) -> None:
            for some in _batches(segments_of[part]):
                rows = within(first, part[some])
                decoders = [streams.decoders[one] for one in part[some].tolist()]
                states = (ReaderState * len(decoders))(*(one.state for one in decoders))
                of = np.repeat(np.arange(len(decoders)), segments_of[part[some]])
                places, with_them = within(ends, rows), _Handed(segments, rows)
                out = np.zeros(len(places), np.int64)
                checked(
                    self.engine.calls.r3_expand(
                        byref(self._made),
                        team,
                        byref(with_them.made),
                        pointer(of),
                        states,
                        pointer(out),
                    )
                )
                tokens[places] = out
                for decoder, state in zip(decoders, states, strict=True):
                    decoder.state = state

        in_parts(self.engine, expand, ends[first[1:]] - ends[first[:-1]], self.config.rounds)
        return tokens

    def _bounded(self, segments: Segments) -> Segments:
        """The same segments, if they are some."""
        config, many = self.config, len(segments.count)
        count = whole(segments.count, 1, config.segment_tokens, "numbers of tokens")
        shaped(segments.continued, (many,), "marks of what is continued")
        shaped(segments.gists, (many, config.gist_bits // 8), "bytes of gists")
        return Segments(count, segments.continued, segments.gists)

    def _by_class(self, name: str) -> NDArray[Any]:
        """A tensor with a row for each token, its classes padded to whole panels."""
        held, config = self.tensors[name], self.config
        padded = -(-config.class_size // PANEL) * PANEL
        if padded == config.class_size:
            return held
        by_class = held.reshape(config.classes, config.class_size, *held.shape[1:])
        room = np.zeros((config.classes, padded, *held.shape[1:]), held.dtype)
        room[:, : config.class_size] = by_class
        return room.reshape(-1, *held.shape[1:])


_OF_TOKENS = ("embedding.levels", "embedding.scale", "unigram")


class _Handed:
    """Some segments as the engine takes them; it keeps what that points to."""

    def __init__(self, segments: Segments, part: Integers) -> None:
        self._count = segments.count[part]
        self._continued = segments.continued[part].astype(bool).view(np.uint8)
        self._gists = np.ascontiguousarray(segments.gists[part], np.uint8)
        self.made = SegmentsOf(
            len(self._count), pointer(self._count), pointer(self._continued), pointer(self._gists)
        )


def _batches(segments: Integers) -> Iterator[slice]:
    """Streams in groups of about ``SEGMENTS_AT_ONCE`` segments.

    Args:
        segments: How many each stream has.
    """
    begin = held = 0
    for place, many in enumerate(segments.tolist()):
        if held and held + many > SEGMENTS_AT_ONCE:
            yield slice(begin, place)
            begin, held = place, 0
        held += many
    yield slice(begin, len(segments))
