"""From token ids to a stream of memory tokens and back: passes, frequencies, fall-backs.

A text of at most ``SEGMENTS`` segments is one stream: the mode of each segment; the bytes of
literal segments; the tokens of packed ones; then, round by round and segment by segment, the
tokens of the others under the frequencies that the backward passes give them. A token costs
``-log2`` of its predicted share: next to nothing when it is inferred, what it must when it is a
surprise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from r3mem_agents.errors import ExpansionError
from r3mem_agents.model.exact import frequencies
from r3mem_agents.model.network import R3MemNetwork, Rounds
from r3mem_agents.model.rangecoder import RangeDecoder, RangeEncoder
from r3mem_agents.model.schedule import positions_in_rounds
from r3mem_agents.model.tokenizer import Tokenizer

SEGMENTS = 64
"""Most segments in one stream; a longer text is a document and stored as literal bytes."""

LEARNED, PACKED, LITERAL = range(3)
MODES = (1000, 20, 4)
"""Integer frequencies of the modes: 0.03, 5.7 and 8 bits (chosen; modes are rare events)."""

_LITERAL_LENGTH = 1 << 16
_ROWS = 128
"""Predictions turned into frequencies at a time: 8 MB, which malloc keeps instead of mapping and
faulting in anew each time."""

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Where the true tokens lie among the predicted frequencies, one row per token.

    Attributes:
        start: Sum of the frequencies before the token.
        size: Its frequency.
        total: Sum of all.
        inferred: No other token has a higher frequency.
    """

    start: Ids
    size: Ids
    total: Ids
    inferred: NDArray[np.bool_]

    @property
    def bits(self) -> NDArray[np.float64]:
        """Cost of each token."""
        return np.asarray(np.log2(self.total.astype(float)) - np.log2(self.size.astype(float)))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A stream and what was decided on the way.

    Attributes:
        stream: The bytes.
        modes: Mode of each segment.
        inferred: Tokens that were the first prediction.
        bits: Cost of each token in natural order, the bytes of literal segments spread evenly.
        first: Whether each token was the first prediction, in natural order.
    """

    stream: bytes
    modes: list[int]
    inferred: int
    bits: NDArray[np.float64]
    first: NDArray[np.bool_]


class Codec:
    """Entropy coding of segments under a frozen network."""

    def __init__(
        self, network: R3MemNetwork, tokenizer: Tokenizer, static_counts: NDArray[np.int64]
    ) -> None:
        self._network = network
        self._config = network.config
        self._tokenizer = tokenizer
        self._static = Static(static_counts)

    def cut(self, ids: Sequence[int]) -> list[Ids]:
        """Segments of a text."""
        array, size = np.asarray(ids, np.int64), self._config.segment_tokens
        return [array[start : start + size] for start in range(0, len(array), size)]

    def gists(self, segments: Sequence[Ids]) -> NDArray[np.uint8]:
        """Forward pass: gists ``(segments, gist_bits / 8)``, most significant bit first."""
        out = np.zeros((len(segments), self._config.gist_bits // 8), np.uint8)
        for rows, tokens, count in self._batches(segments):
            gist = self._network.gist(tokens, count)
            out[rows] = np.packbits((gist > 0).cpu().numpy(), axis=1)
        return out

    def encode(
        self, texts: Sequence[Sequence[Ids]], gists: Sequence[NDArray[np.uint8]]
    ) -> list[Encoded]:
        """Streams of texts, each given as its segments and their gists."""
        flat = [segment for segments in texts for segment in segments]
        continued = np.concatenate(
            [np.arange(len(segments)) > 0 for segments in texts] or [np.zeros(0, bool)]
        )
        bits = np.concatenate([*gists, np.zeros((0, self._config.gist_bits // 8), np.uint8)])
        intervals = self._intervals(flat, continued, bits)
        streams, place = [], 0
        for segments in texts:
            streams.append(self._write(segments, intervals[place : place + len(segments)]))
            place += len(segments)
        return streams

    def decode(
        self,
        streams: Sequence[bytes],
        tokens: Sequence[int],
        gists: Sequence[NDArray[np.uint8]],
    ) -> list[bytes]:
        """Bytes of texts from their streams, token counts and gists.

        Raises:
            ExpansionError: The streams cannot have been written with these counts and gists.
        """
        readers = [
            _Reader(RangeDecoder(stream), count, self._config.segment_tokens)
            for stream, count in zip(streams, tokens, strict=True)
        ]
        for reader, gist in zip(readers, gists, strict=True):
            if len(gist) != len(reader.counts):
                raise ExpansionError(
                    f"{len(gist)} gists for {len(reader.counts)} segments: the memory is damaged"
                )
            reader.read_fallbacks(self._static, self._tokenizer)
        self._expand(readers, gists)
        return [self._tokenizer.join(reader.pieces(self._tokenizer)) for reader in readers]

    def _batches(
        self, segments: Sequence[Ids], size: int = 64
    ) -> list[tuple[list[int], Tensor, Tensor]]:
        """Rows, padded tokens in the order of rounds, and counts; like widths together."""
        rounds = self._config.rounds
        by_width: dict[int, list[int]] = {}
        for row, segment in enumerate(segments):
            by_width.setdefault(-(-len(segment) // rounds) * rounds, []).append(row)
        device = self._network.unigram.device
        batches = []
        for width, members in sorted(by_width.items()):
            order = positions_in_rounds(self._config, width).numpy()
            for start in range(0, len(members), size):
                rows = members[start : start + size]
                padded = np.zeros((len(rows), width), np.int64)
                for place, row in enumerate(rows):
                    padded[place, : len(segments[row])] = segments[row]
                count = torch.tensor([len(segments[row]) for row in rows], device=device)
                batches.append((rows, torch.from_numpy(padded[:, order]).to(device), count))
        return batches

    def _signs(self, gists: NDArray[np.uint8]) -> Tensor:
        bits = np.unpackbits(gists, axis=1).astype(np.float32)
        return torch.from_numpy(bits * 2 - 1).to(self._network.unigram.device)

    def _intervals(
        self, segments: Sequence[Ids], continued: NDArray[np.bool_], gists: NDArray[np.uint8]
    ) -> list[Intervals]:
        """Intervals of every segment's tokens, in the order of rounds without padding."""
        found: list[Intervals | None] = [None] * len(segments)
        for rows, tokens, count in self._batches(segments):
            states = self._network.predict(
                tokens, count, torch.from_numpy(continued[rows]).to(count.device),
                self._signs(gists[rows]),
            )  # fmt: skip
            place = positions_in_rounds(self._config, tokens.shape[1]).to(count.device)
            real = place[None] < count[:, None]
            measured = self._measure(states[real], tokens[real])
            edges = np.cumsum([0, *count.tolist()])
            for index, row in enumerate(rows):
                part = slice(edges[index], edges[index + 1])
                found[row] = Intervals(
                    measured.start[part],
                    measured.size[part],
                    measured.total[part],
                    measured.inferred[part],
                )
        return [interval for interval in found if interval is not None]

    def _measure(self, states: Tensor, truth: Tensor) -> Intervals:
        parts = [np.zeros((4, 0), np.int64)]
        for first in range(0, len(truth), _ROWS):
            true = truth[first : first + _ROWS, None]
            frequency = frequencies(self._network.logits(states[first : first + _ROWS]))
            before = torch.arange(frequency.shape[1], device=true.device) < true
            values = (
                (frequency * before).sum(1),
                frequency.gather(1, true)[:, 0],
                frequency.sum(1),
                frequency.amax(1),
            )
            parts.append(torch.stack(values).cpu().numpy())
        start, size, total, best = np.concatenate(parts, axis=1)
        return Intervals(start, size, total, size == best)

    def _order(self, count: int) -> Ids:
        """Positions of a segment in the order of rounds, without padding."""
        width = -(-count // self._config.rounds) * self._config.rounds
        order = positions_in_rounds(self._config, width).numpy()
        return np.asarray(order[order < count])

    def _write(self, segments: Sequence[Ids], intervals: Sequence[Intervals]) -> Encoded:
        encoder = RangeEncoder()
        modes, costs, first = [], [], []
        raw = [b"".join(map(self._tokenizer.token_bytes, ids.tolist())) for ids in segments]
        for ids, interval, data in zip(segments, intervals, raw, strict=True):
            static = self._static.bits(ids)
            choices = (interval.bits.sum(), static.sum(), 16.0 + 8.0 * len(data))
            taxed = [cost - np.log2(MODES[m] / sum(MODES)) for m, cost in enumerate(choices)]
            mode = int(np.argmin(taxed)) if len(data) < _LITERAL_LENGTH else LEARNED
            modes.append(mode)
            order = self._order(len(ids))
            learned, hit = np.zeros(len(ids)), np.zeros(len(ids), bool)
            learned[order], hit[order] = interval.bits, interval.inferred & (mode == LEARNED)
            spread = np.full(len(ids), choices[LITERAL] / len(ids))
            costs.append((learned, static, spread)[mode])
            first.append(hit)
            encoder.encode(sum(MODES[:mode]), MODES[mode], sum(MODES))
        for ids, data, mode in zip(segments, raw, modes, strict=True):
            if mode == LITERAL:
                encoder.encode(len(data), 1, _LITERAL_LENGTH)
                for byte in data:
                    encoder.encode(byte, 1, 256)
            elif mode == PACKED:
                for token in ids.tolist():
                    encoder.encode(*self._static.interval(token))
        learned_ones = [
            (self._order(len(ids)) % self._config.rounds, interval)
            for ids, interval, mode in zip(segments, intervals, modes, strict=True)
            if mode == LEARNED
        ]
        if learned_ones:
            by_round = np.argsort(
                np.concatenate([rounds for rounds, _ in learned_ones]), kind="stable"
            )
            columns = [
                np.concatenate([getattr(item, name) for _, item in learned_ones])[by_round].tolist()
                for name in ("start", "size", "total")
            ]
            for start, size, total in zip(*columns, strict=True):
                encoder.encode(start, size, total)
        none = [np.zeros(0)]
        hits = np.concatenate([*first, np.zeros(0, bool)])
        return Encoded(
            encoder.finish(), modes, int(hits.sum()), np.concatenate([*costs, *none]), hits
        )

    def _expand(self, readers: Sequence[_Reader], gists: Sequence[NDArray[np.uint8]]) -> None:
        """Run the backward passes of all learned segments in step, round by round."""
        flat = [
            (reader, index, gist[index])
            for reader, gist in zip(readers, gists, strict=True)
            for index, mode in enumerate(reader.modes)
            if mode == LEARNED
        ]
        if not flat:
            return
        device, rounds = self._network.unigram.device, self._config.rounds
        counts = np.array([reader.counts[index] for reader, index, _ in flat])
        lanes = -(-counts // rounds)
        groups: list[tuple[NDArray[np.int64], Rounds, int]] = []
        for width in np.unique(lanes).tolist():
            rows = np.flatnonzero(lanes == width)
            going_on = torch.tensor([flat[row][1] > 0 for row in rows], device=device)
            passes = self._network.begin(
                torch.from_numpy(counts[rows]).to(device),
                going_on,
                self._signs(np.stack([flat[row][2] for row in rows])),
                width * rounds,
            )
            groups.append((rows, passes, width))
        for turn in range(rounds):
            tables: dict[int, NDArray[np.int64]] = {}
            for rows, passes, _ in groups:
                frequency = frequencies(self._network.logits(passes.predict()))
                cumulative = frequency.cumsum(-1).cpu().numpy()
                tables |= {int(row): cumulative[place] for place, row in enumerate(rows)}
            found = np.zeros((len(flat), int(lanes.max())), np.int64)
            for row, (reader, index, _) in enumerate(flat):
                for lane in range(lanes[row]):
                    position = lane * rounds + turn
                    if position < counts[row]:
                        token = reader.read(tables[row][lane])
                        reader.tokens[index][position] = found[row, lane] = token
            for rows, passes, width in groups:
                passes.supply(torch.from_numpy(found[rows, :width]).to(device))
            groups = [group for group in groups if counts[group[0]].max() > turn + 1]


class Static:
    """The static coder of the *packed* fall-back: token counts of the training set."""

    def __init__(self, counts: NDArray[np.int64]) -> None:
        self._cumulative = np.concatenate(([0], np.cumsum(counts.astype(np.int64) + 1)))
        self._total = int(self._cumulative[-1])

    def interval(self, token: int) -> tuple[int, int, int]:
        """``start``, ``size`` and ``total`` of a token."""
        start, end = int(self._cumulative[token]), int(self._cumulative[token + 1])
        return start, end - start, self._total

    def bits(self, ids: Ids) -> NDArray[np.float64]:
        """Cost of each token."""
        size = self._cumulative[ids + 1] - self._cumulative[ids]
        return np.asarray(np.log2(self._total / size))

    def read(self, decoder: RangeDecoder) -> int:
        """The next token of a stream."""
        target = decoder.target(self._total)
        token = int(np.searchsorted(self._cumulative, target, side="right")) - 1
        decoder.consume(*self.interval(token)[:2])
        return token


class _Reader:
    """One text on its way out of its stream."""

    def __init__(self, decoder: RangeDecoder, tokens: int, segment_tokens: int) -> None:
        self._decoder = decoder
        self.counts = [
            min(segment_tokens, tokens - start) for start in range(0, tokens, segment_tokens)
        ]
        self.tokens = [np.zeros(count, np.int64) for count in self.counts]
        self._raw: dict[int, bytes] = {}
        self.modes: list[int] = []

    def read_fallbacks(self, static: Static, tokenizer: Tokenizer) -> None:
        """Read the modes, and the segments that did not need the network."""
        for _ in self.counts:
            target = self._decoder.target(sum(MODES))
            mode = int(np.searchsorted(np.cumsum(MODES), target, side="right"))
            self._decoder.consume(sum(MODES[:mode]), MODES[mode])
            self.modes.append(mode)
        for index, mode in enumerate(self.modes):
            if mode == LITERAL:
                length = self._uniform(_LITERAL_LENGTH)
                self._raw[index] = bytes(self._uniform(256) for _ in range(length))
            elif mode == PACKED:
                for place in range(self.counts[index]):
                    self.tokens[index][place] = static.read(self._decoder)

    def read(self, cumulative: NDArray[np.int64]) -> int:
        """The next token, under these cumulative frequencies."""
        target = self._decoder.target(int(cumulative[-1]))
        token = int(np.searchsorted(cumulative, target, side="right"))
        start = int(cumulative[token - 1]) if token else 0
        self._decoder.consume(start, int(cumulative[token]) - start)
        return token

    def pieces(self, tokenizer: Tokenizer) -> list[bytes]:
        """Bytes of each segment, in order."""
        return [
            self._raw[index]
            if index in self._raw
            else b"".join(map(tokenizer.token_bytes, ids.tolist()))
            for index, ids in enumerate(self.tokens)
        ]

    def _uniform(self, total: int) -> int:
        value = self._decoder.target(total)
        self._decoder.consume(value, 1)
        return value
