"""The passes of the expander over texts: streams of known tokens, and tokens of streams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import ExpansionError
from r3mem_agents.model.forward import Gists
from r3mem_agents.model.frozen.interface import FrozenExpander, Segments, Streams
from r3mem_agents.model.predictions import Integers
from r3mem_agents.model.schedule import Schedule
from r3mem_agents.model.stream import Encoded, Piece, Reader, Static, write
from r3mem_agents.model.tokenizer import Tokenizer


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
        self._expand(readers, gists)
        return [reader.data(self._tokenizer) for reader in readers]

    def _pieces(
        self, segments: Sequence[Integers], continued: NDArray[np.bool_], gists: Gists
    ) -> list[Piece]:
        """Predict the known tokens of segments, all rounds in one pass."""
        count = np.array([len(segment) for segment in segments], np.int64)
        tokens = np.concatenate([np.zeros(0, np.int64), *segments])
        measured = self._network.measure(Segments(count, continued, gists), tokens)
        edges = np.cumsum([0, *count.tolist()])
        return [
            Piece(
                ids=segment,
                raw=self._tokenizer.bytes_of(segment.tolist()),
                rounds=self.rounds_of(len(segment)),
                intervals=measured.part(slice(edges[place], edges[place + 1])),
            )
            for place, segment in enumerate(segments)
        ]

    def _expand(self, readers: Sequence[Reader], gists: Sequence[Gists]) -> None:
        """Run the backward passes of all learned segments."""
        flat = [(row, index) for row, reader in enumerate(readers) for index in reader.learned]
        if not flat:
            return
        count = np.array([readers[row].counts[index] for row, index in flat], np.int64)
        tokens = self._network.expand(
            Segments(
                count,
                np.array([index > 0 for _, index in flat], bool),
                np.stack([gists[row][index] for row, index in flat]),
            ),
            Streams(
                [reader.decoder for reader in readers],
                np.array([row for row, _ in flat], np.int64),
            ),
        )
        edges = np.cumsum([0, *count.tolist()])
        for place, (row, index) in enumerate(flat):
            readers[row].tokens[index][:] = tokens[edges[place] : edges[place + 1]]
