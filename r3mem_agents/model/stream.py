"""One text as one stream of bytes: what is written, in which order, under which frequencies.

Layout, version 2. Everything is range-coded, so nothing is rounded up to bytes but the end::

    mark      1 of 256; a first byte of 0xFF announces raw LZMA, 0xFE a later version
    digest    24 bits: first bytes of BLAKE2b of the text's UTF-8
    tokens    number of tokens, under a table in which short texts are cheap
    modes     of each segment: learned, packed or literal
    literal   bytes of the literal segments
    packed    tokens of the packed segments, under the static counts of the training set
    learned   tokens of the other segments, round by round, under the frequencies that the backward
              passes give them: of each round the classes of all tokens, segment by segment, then
              the tokens in their classes
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import ExpansionError
from r3mem_agents.model.predictions import Integers, Intervals
from r3mem_agents.model.rangecoder import RangeDecoder, encode
from r3mem_agents.model.tokenizer import Tokenizer

SEGMENTS = 64
"""Maximum number of segments in one stream; a longer text is a document and stored as literal
bytes."""

LEARNED, PACKED, LITERAL = range(3)
MODES = (1000, 20, 4)
"""Integer frequencies of the modes: 0.03, 5.7 and 8 bits (chosen; fall-backs are rare)."""

HASH_BYTES = 3
"""One damaged stream in 2**24 passes; a byte more would cost a short turn another 3 %."""

_MARK = (0, 254, 256)
_MARKS = np.array([0, 254, 255, 256])
_SHORT = 63
_LENGTHS = np.concatenate(([0], np.cumsum([4096 // (n + 8) for n in range(_SHORT + 1)])))
"""Cumulative frequencies of 0 to 62 tokens, and of more: 4.2 to 7.3 bits (chosen)."""

_LITERAL_LENGTH = 1 << 16


def digest_of(data: bytes) -> bytes:
    """The hash that is stored with a text."""
    return hashlib.blake2b(data, digest_size=HASH_BYTES).digest()


class Static:
    """The static coder of the *packed* fall-back: token counts of the training set."""

    def __init__(self, counts: NDArray[np.int64]) -> None:
        self._cumulative = np.concatenate(([0], np.cumsum(counts.astype(np.int64) + 1)))

    def bits(self, ids: Integers) -> NDArray[np.float64]:
        """Cost of each token."""
        size = self._cumulative[ids + 1] - self._cumulative[ids]
        return np.asarray(np.log2(self._cumulative[-1] / size))

    def intervals(self, ids: Integers) -> Integers:
        """Where tokens lie in the counts, ``(3, tokens)``: start, size and total."""
        start, end = self._cumulative[ids], self._cumulative[ids + 1]
        return np.stack((start, end - start, np.full_like(start, self._cumulative[-1])))

    def read(self, decoder: RangeDecoder) -> int:
        """The next token of a stream."""
        return decoder.symbol(self._cumulative)


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment on its way into a stream.

    Attributes:
        ids: Its tokens.
        raw: Their bytes.
        rounds: Round of each token.
        intervals: Where its tokens lie among the predictions.
    """

    ids: Integers
    raw: bytes
    rounds: Integers
    intervals: Intervals

    def choose(self, static: Static) -> tuple[int, NDArray[np.float64]]:
        """The cheapest mode, and what each token costs in it."""
        literal = np.full(len(self.ids), (16.0 + 8.0 * len(self.raw)) / len(self.ids))
        costs = (self.intervals.bits, static.bits(self.ids), literal)
        taxed = [cost.sum() - np.log2(MODES[mode]) for mode, cost in enumerate(costs)]
        if len(self.raw) >= _LITERAL_LENGTH:
            taxed.pop()
        mode = int(np.argmin(taxed))
        return mode, costs[mode]

    def inferred(self, mode: int) -> NDArray[np.bool_]:
        """Whether each token is the model's first prediction."""
        return self.intervals.inferred & (mode == LEARNED)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A stream and what was decided on the way.

    Attributes:
        stream: The bytes.
        modes: Mode of each segment.
        bits: Cost of each token; literal segments spread theirs evenly.
        inferred: Whether each token was the first prediction.
    """

    stream: bytes
    modes: list[int]
    bits: NDArray[np.float64]
    inferred: NDArray[np.bool_]


def write(pieces: Sequence[Piece], digest: bytes, static: Static) -> Encoded:
    """The stream of a text.

    Args:
        pieces: Its segments.
        digest: Hash of its bytes.
        static: The static coder.
    """
    chosen = [piece.choose(static) for piece in pieces]
    modes = [mode for mode, _ in chosen]
    head = [_MARK, (int.from_bytes(digest, "big"), 1, 1 << 8 * HASH_BYTES)]
    head += _length_intervals(sum(len(piece.ids) for piece in pieces))
    head += [(sum(MODES[:mode]), MODES[mode], sum(MODES)) for mode in modes]
    for piece, mode in zip(pieces, modes, strict=True):
        if mode == LITERAL:
            head.append((len(piece.raw), 1, _LITERAL_LENGTH))
            head += [(byte, 1, 256) for byte in piece.raw]
    packed = [
        static.intervals(piece.ids)
        for piece, mode in zip(pieces, modes, strict=True)
        if mode == PACKED
    ]
    learned = [piece for piece, mode in zip(pieces, modes, strict=True) if mode == LEARNED]
    joined = Intervals.join([piece.intervals for piece in learned])
    rounds = np.concatenate([np.zeros(0, np.int64), *(piece.rounds for piece in learned)])
    in_turn = np.lexsort((np.repeat([0, 1], len(rounds)), np.tile(rounds, 2)))
    columns = [column.ravel()[in_turn] for column in (joined.start, joined.size, joined.total)]
    symbols = np.concatenate([np.array(head, np.int64).T, *packed, np.stack(columns)], 1)
    hits = [piece.inferred(mode) for piece, mode in zip(pieces, modes, strict=True)]
    return Encoded(
        encode(symbols),
        modes,
        np.concatenate([np.zeros(0), *(bits for _, bits in chosen)]),
        np.concatenate([np.zeros(0, bool), *hits]),
    )


class Reader:
    """A stream being read: the header and the fall-backs at once, the rest token by token.

    Attributes:
        digest: Hash of the text's bytes.
        counts: Tokens of each segment.
        decoder: Where the next learned token is read from.
        learned: Segments whose tokens the backward passes have to predict.
        tokens: Tokens of each segment; those of learned ones are filled in by the caller.
    """

    def __init__(self, stream: bytes, segment_tokens: int, static: Static) -> None:
        """Read all that needs no prediction.

        Raises:
            ExpansionError: The stream claims more tokens than a stream can have.
        """
        self.decoder = RangeDecoder(stream)
        self.decoder.symbol(_MARKS)
        self.digest = self.decoder.uniform(1 << 8 * HASH_BYTES).to_bytes(HASH_BYTES, "big")
        count = self._length()
        if count > SEGMENTS * segment_tokens:
            raise ExpansionError(f"memory tokens claim {count} tokens of text: they are damaged")
        self.counts = [
            min(segment_tokens, count - start) for start in range(0, count, segment_tokens)
        ]
        self.tokens = [np.zeros(count, np.int64) for count in self.counts]
        steps = np.concatenate(([0], np.cumsum(MODES)))
        modes = [self.decoder.symbol(steps) for _ in self.counts]
        self.learned = [index for index, mode in enumerate(modes) if mode == LEARNED]
        self._raw = {
            index: bytes(
                self.decoder.uniform(256) for _ in range(self.decoder.uniform(_LITERAL_LENGTH))
            )
            for index, mode in enumerate(modes)
            if mode == LITERAL
        }
        for index, mode in enumerate(modes):
            if mode == PACKED:
                self.tokens[index][:] = [static.read(self.decoder) for _ in self.tokens[index]]

    def data(self, tokenizer: Tokenizer) -> bytes:
        """Bytes of the text, once all tokens are filled in."""
        pieces = [
            self._raw[index] if index in self._raw else tokenizer.bytes_of(ids.tolist())
            for index, ids in enumerate(self.tokens)
        ]
        return tokenizer.join(pieces)

    def _literal(self) -> bytes:
        size = self.decoder.uniform(_LITERAL_LENGTH)
        return bytes(self.decoder.uniform(256) for _ in range(size))

    def _length(self) -> int:
        count = self.decoder.symbol(_LENGTHS)
        if count < _SHORT:
            return count
        return _SHORT + sum(self.decoder.uniform(256) << 8 * place for place in range(2))


def _length_intervals(count: int) -> list[tuple[int, int, int]]:
    short = min(count, _SHORT)
    start, end = int(_LENGTHS[short]), int(_LENGTHS[short + 1])
    found = [(start, end - start, int(_LENGTHS[-1]))]
    if short == _SHORT:
        found += [(byte, 1, 256) for byte in (count - _SHORT).to_bytes(2, "little")]
    return found
