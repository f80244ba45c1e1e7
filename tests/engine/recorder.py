"""Writes down the calls of an engine and what they came to, for ``replay.c`` to make them again."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from threading import RLock
from typing import Any, BinaryIO

import numpy as np

from r3mem_agents.model.frozen.shapes import Shapes
from r3mem_agents.model.native.library import Embedding, Library

OF_EXPANDER = ("blank", "role", "edge", "after_start", "before_end", "length")


class Recorder(Library):
    """An engine that does what it is asked, and writes down what that was and gave.

    Records are blocks, each its size and then its bytes, padded to eight; the first names the call.

    Args:
        engine: What does the work.
        file: Where the records go.
        expander: Shapes of the tensors of the expander that it will be asked to run.
    """

    def __init__(self, engine: Library, file: BinaryIO, expander: Shapes) -> None:
        self.kernel, self.calls = engine.kernel, self  # type: ignore[assignment]
        self._engine, self._file, self._shapes = engine.calls, file, expander
        self._lock = RLock()  # calls come from several threads
        self._number: dict[Any, int] = {}  # of matrices, stacks and expanders, by their addresses
        self._outputs: dict[int, int] = {}
        self._hidden: dict[int, int] = {}
        for name in (
            "matrix_bytes",
            "matrix_free",
            "stack_free",
            "team_new",
            "team_help",
            "team_dismiss",
            "team_free",
        ):
            setattr(self, f"r3_{name}", getattr(engine.calls, f"r3_{name}"))

    def r3_matrix_new(
        self, outputs: int, inputs: int, levels: int, scale: int, bias: Any, room: int
    ) -> int:
        made = int(self._engine.r3_matrix_new(outputs, inputs, levels, scale, bias, room))
        self._made(made)
        self._outputs[made] = outputs
        shape = ints(outputs, inputs, bias is not None)
        size = outputs * 4
        self._put(
            "matrix", shape, held(levels, outputs * inputs), held(scale, size), held(bias, size)
        )
        return made

    def r3_stack_new(self, sizes: Any, matrices: Any, weights: int, count: int) -> int:
        made = int(self._engine.r3_stack_new(sizes, matrices, weights, count))
        self._made(made)
        self._hidden[made] = sizes._obj.hidden
        numbers = ints(*(self._number[matrix] for matrix in matrices))
        self._put("stack", bytes(sizes._obj), numbers, held(weights, count))
        return made

    def r3_encode(
        self, stack: int, team: int | None, embedding: Embedding, position: int, to_gist: int,
        texts: int, pieces: int, count: int, gists: int,
    ) -> int:  # fmt: skip
        status = self._engine.r3_encode(
            stack, team, embedding, position, to_gist, texts, pieces, count, gists
        )
        each = array(count, texts)
        self._put(
            "encode",
            ints(self._number[stack], self._number[to_gist], texts),
            *self._embedded(stack, embedding, array(pieces, each.sum()).max() + 1),
            held(position, int(each.max()) * self._hidden[stack] * 4),
            held(pieces, each.sum() * 8),
            held(count, texts * 8),
            held(gists, texts * self._outputs[to_gist] * 4),
        )
        return int(status)

    def r3_compare(
        self, stack: int, team: int | None, embedding: Embedding, position: int, side: int,
        read: int, pairs: int, pieces: int, count: int, found: int,
    ) -> int:  # fmt: skip
        status = self._engine.r3_compare(
            stack, team, embedding, position, side, read, pairs, pieces, count, found
        )
        each, row = array(count, pairs * 2), self._hidden[stack] * 4
        self._put(
            "compare",
            ints(self._number[stack], self._number[read], pairs),
            *self._embedded(stack, embedding, array(pieces, each.sum()).max() + 1),
            held(position, int(each.max()) * row),
            held(side, 2 * row),
            held(pieces, each.sum() * 8),
            held(count, pairs * 16),
            held(found, pairs * self._outputs[read] * 4),
        )
        return int(status)

    def r3_measure(
        self, expander: Any, team: int | None, segments: Any, tokens: int, intervals: int
    ) -> int:
        status = self._engine.r3_measure(expander, team, segments, tokens, intervals)
        many = int(array(segments._obj.count, segments._obj.segments).sum())
        self._put(
            "measure",
            ints(self._expander(expander._obj)),
            *self._segments(expander._obj, segments._obj),
            held(tokens, many * 8),
            held(intervals, many * 6 * 8),
        )
        return int(status)

    def r3_expand(
        self, expander: Any, team: int | None, segments: Any, stream: int, readers: Any, tokens: int
    ) -> int:
        number, many = self._expander(expander._obj), segments._obj.segments
        before = [(bytes(one), held(one.code, one.size)) for one in readers]
        status = self._engine.r3_expand(expander, team, segments, stream, readers, tokens)
        self._put(
            "expand",
            ints(number, len(before)),
            *self._segments(expander._obj, segments._obj),
            held(stream, many * 8),
            *(block for reader in before for block in reader),
            held(tokens, int(array(segments._obj.count, many).sum()) * 8),
        )
        return int(status)

    def _made(self, address: Any) -> None:
        self._number[address] = len(self._number)

    def _embedded(self, stack: int, embedding: Any, rows: int) -> Iterator[bytes]:
        yield held(embedding.levels, int(rows) * self._hidden[stack])
        yield held(embedding.scale, int(rows) * 4)

    def _segments(self, expander: Any, segments: Any) -> Iterator[bytes]:
        many = segments.segments
        yield ints(many)
        yield held(segments.count, many * 8)
        yield held(segments.continued, many)
        yield held(segments.gists, many * expander.gist_bits // 8)

    def _expander(self, made: Any) -> int:
        """Its number; written down when it is seen first."""
        key = ("expander", id(made))
        with self._lock:
            if key not in self._number:
                self._made(key)
                held_by = ("stack", "classes_of", "tokens_of", "from_gist")
                sizes = ("segment_tokens", "rounds", "classes", "class_size", "gist_bits")
                rows, layers, heads = self._shapes["backward_bias"]
                table = (made.segment_tokens + 1) * made.segment_tokens * 8
                self._put(
                    "expander",
                    ints(*(getattr(made, size) for size in sizes), made.frequency_count),
                    ints(*(self._number[getattr(made, name)] for name in held_by)),
                    *self._embedded(made.stack, made.embedding, made.classes * made.class_size),
                    *(held(getattr(made, name), self._size(name)) for name in OF_EXPANDER),
                    held(made.bias, rows * (layers - 1) * heads * 4),
                    held(made.round_of, table),
                    held(made.role_of, table),
                    held(made.frequency, made.frequency_count * 4),
                )
            return self._number[key]

    def _size(self, name: str) -> int:
        return int(np.prod(self._shapes[name])) * 4

    def _put(self, name: str, *blocks: bytes) -> None:
        with self._lock:
            for block in (name.encode() + b"\0", *blocks):
                self._file.write(len(block).to_bytes(8, "little"))
                self._file.write(block + bytes(-len(block) % 8))


def ints(*numbers: int) -> bytes:
    """Numbers as int32."""
    return np.array(numbers, np.int32).tobytes()


def held(address: int | None, size: int) -> bytes:
    """What lies at an address; nothing at none."""
    return ctypes.string_at(address, int(size)) if address and size else b""


def array(address: int, many: int) -> np.ndarray:
    """The int64 numbers at an address."""
    return np.frombuffer(held(address, int(many) * 8), np.int64)
