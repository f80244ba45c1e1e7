"""The passes of the expander over texts: streams of known tokens, and tokens of streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import ExpansionError
from r3mem_agents.model.forward import Gists
from r3mem_agents.model.frozen.interface import FrozenExpander, Segments
from r3mem_agents.model.predictions import Frequencies, Integers, Predictions
from r3mem_agents.model.rangecoder import RangeDecoder
from r3mem_agents.model.schedule import Schedule
from r3mem_agents.model.stream import SEGMENTS, Encoded, Piece, Reader, Static, write
from r3mem_agents.model.tokenizer import Tokenizer

_SEGMENTS_AT_ONCE = 16
"""Size of batches whose intermediate tensors malloc keeps, instead of mapping and faulting them in
anew each time (docs/LOG.md, 2026-11-21, "Small batches")."""


class Codec:
    """Memory tokens of texts under a frozen expander."""

    def __init__(
        self, network: FrozenExpander, tokenizer: Tokenizer, static_counts: NDArray[np.int64]
    ) -> None:
        self._network = network
        self._config = network.config
        self._schedule = Schedule.of(network.config.segment_tokens, network.config.rounds)
        self._tokenizer = tokenizer
        self._static = Static(static_counts)

    def cut(self, ids: Sequence[int]) -> list[Integers]:
        """Segments of a text."""
        array, size = np.asarray(ids, np.int64), self._config.segment_tokens
        return [array[start : start + size] for start in range(0, len(array), size)]

    def rounds_of(self, count: int) -> Integers:
        """Round of each token of a segment with ``count`` of them."""
        return self._schedule.round[count, :count]

    def encode(
        self,
        texts: Sequence[Sequence[Integers]],
        gists: Sequence[Gists],
        digests: Sequence[bytes],
    ) -> list[Encoded]:
        """Streams of texts, given their segments, the gists of these, and hashes."""
        flat = [segment for segments in texts for segment in segments]
        continued = [place > 0 for segments in texts for place in range(len(segments))]
        none = np.zeros((0, self._config.gist_bits // 8), np.uint8)
        pieces = iter(self._pieces(flat, np.array(continued, bool), np.concatenate([none, *gists])))
        return [
            write([next(pieces) for _ in segments], digest, self._static)
            for segments, digest in zip(texts, digests, strict=True)
        ]

    def open(self, stream: bytes) -> Reader:
        """Read a stream as far as no prediction is needed.

        Raises:
            ExpansionError: The stream is damaged.
        """
        return Reader(stream, self._config.segment_tokens, self._static)

    def decode(self, readers: Sequence[Reader], gists: Sequence[Gists]) -> list[bytes]:
        """Bytes of texts from their opened streams and gists.

        Raises:
            ExpansionError: A text has another number of gists than of segments.
        """
        for reader, gist in zip(readers, gists, strict=True):
            if len(gist) != len(reader.counts):
                raise ExpansionError(
                    f"{len(gist)} gists for {len(reader.counts)} segments: the memory is damaged"
                )
        for group in _groups(readers):
            self._expand([readers[row] for row in group], [gists[row] for row in group])
        return [reader.data(self._tokenizer) for reader in readers]

    def _batches(self, segments: Sequence[Integers]) -> Iterator[tuple[list[int], Integers]]:
        """Rows and their padded tokens; segments of similar length together."""
        longest_last = sorted(range(len(segments)), key=lambda row: len(segments[row]))
        for start in range(0, len(segments), _SEGMENTS_AT_ONCE):
            rows = longest_last[start : start + _SEGMENTS_AT_ONCE]
            padded = np.zeros((len(rows), len(segments[rows[-1]])), np.int64)
            for place, row in enumerate(rows):
                padded[place, : len(segments[row])] = segments[row]
            yield rows, padded

    def _pieces(
        self, segments: Sequence[Integers], continued: NDArray[np.bool_], gists: Gists
    ) -> list[Piece]:
        """Predict the known tokens of segments, all rounds in one pass."""
        found: dict[int, Piece] = {}
        for rows, tokens in self._batches(segments):
            count = np.array([len(segments[row]) for row in rows], np.int64)
            known = Segments(count, continued[rows], gists[rows])
            measured = self._network.measure(known, tokens)
            edges = np.cumsum([0, *count.tolist()])
            for place, row in enumerate(rows):
                found[row] = Piece(
                    ids=segments[row],
                    raw=self._tokenizer.bytes_of(segments[row].tolist()),
                    rounds=self.rounds_of(len(segments[row])),
                    intervals=measured.part(slice(edges[place], edges[place + 1])),
                )
        return [found[row] for row in range(len(segments))]

    def _expand(self, readers: Sequence[Reader], gists: Sequence[Gists]) -> None:
        """Run the backward passes of all learned segments in step, round by round."""
        flat = [
            (reader, index, gist[index])
            for reader, gist in zip(readers, gists, strict=True)
            for index in reader.learned
        ]
        if not flat:
            return
        count = np.array([reader.counts[index] for reader, index, _ in flat], np.int64)
        continued = np.array([index > 0 for _, index, _ in flat], bool)
        expansion = self._network.expand(
            Segments(count, continued, np.stack([gist for _, _, gist in flat]))
        )
        tokens = np.zeros((len(flat), int(count.max())), np.int64)
        for rows, places in self._schedule.rounds(count):
            decoders = [flat[row][0].decoder for row in rows.tolist()]
            classes = _read(expansion.classes(tokens), decoders)
            inside = _read(expansion.tokens(classes), decoders)
            tokens[rows, places] = classes * self._config.class_size + inside
        for row, (reader, index, _) in enumerate(flat):
            reader.tokens[index][:] = tokens[row, : count[row]]


def _read(frequencies: Frequencies, decoders: Sequence[RangeDecoder]) -> Integers:
    """The next symbol of each stream."""
    predicted = Predictions(frequencies)
    read = [predicted.read(row, decoder) for row, decoder in enumerate(decoders)]
    return np.array(read, np.int64)


def _groups(readers: Sequence[Reader]) -> list[list[int]]:
    """Rows whose learned segments go through the passes together: those of similar length."""
    longest = [
        max((reader.counts[index] for index in reader.learned), default=0) for reader in readers
    ]
    groups: list[list[int]] = []
    room = 0
    for row in sorted(range(len(readers)), key=longest.__getitem__):
        needed = len(readers[row].learned)
        if needed > room or not groups:
            groups.append([])
            room = SEGMENTS
        groups[-1].append(row)
        room -= needed
    return groups
