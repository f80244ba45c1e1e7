"""The passes of the expander over segments: predictions of known tokens, and expansion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from r3mem_agents.errors import ExpansionError
from r3mem_agents.model.expander import Condition, Expander
from r3mem_agents.model.forward import Gists
from r3mem_agents.model.predictions import Integers, Intervals, Predictions
from r3mem_agents.model.rangecoder import RangeDecoder
from r3mem_agents.model.rounds import Rounds
from r3mem_agents.model.stream import SEGMENTS, Encoded, Piece, Reader, Static, write
from r3mem_agents.model.threads import CORES
from r3mem_agents.model.tokenizer import Tokenizer

_SEGMENTS_AT_ONCE = 16
_PREDICTIONS_AT_ONCE = 128
"""Sizes of batches whose intermediate tensors malloc keeps, instead of mapping and faulting them
in anew each time (docs/LOG.md, 2026-11-21, "Small batches")."""


class Codec:
    """Memory tokens of texts under a frozen expander."""

    def __init__(
        self, network: Expander, tokenizer: Tokenizer, static_counts: NDArray[np.int64]
    ) -> None:
        self._network = network
        self._config = network.config
        self._tokenizer = tokenizer
        self._static = Static(static_counts)

    @property
    def _device(self) -> torch.device:
        return self._network.unigram.device

    def cut(self, ids: Sequence[int]) -> list[Integers]:
        """Segments of a text."""
        array, size = np.asarray(ids, np.int64), self._config.segment_tokens
        return [array[start : start + size] for start in range(0, len(array), size)]

    def rounds_of(self, count: int) -> Integers:
        """Round of each token of a segment with ``count`` of them."""
        return self._network.round[count, :count].cpu().numpy()

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

    def _batches(self, segments: Sequence[Integers]) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        """Rows, padded tokens, and counts; segments of like length together."""
        longest_last = sorted(range(len(segments)), key=lambda row: len(segments[row]))
        for start in range(0, len(segments), _SEGMENTS_AT_ONCE):
            CORES.fit()
            rows = longest_last[start : start + _SEGMENTS_AT_ONCE]
            padded = np.zeros((len(rows), len(segments[rows[-1]])), np.int64)
            for place, row in enumerate(rows):
                padded[place, : len(segments[row])] = segments[row]
            count = torch.tensor([len(segments[row]) for row in rows], device=self._device)
            yield rows, torch.from_numpy(padded).to(self._device), count

    def _signs(self, gists: Gists) -> Tensor:
        bits = np.unpackbits(gists, axis=1).astype(np.float32)
        return torch.from_numpy(bits * 2 - 1).to(self._device)

    def _pieces(
        self, segments: Sequence[Integers], continued: NDArray[np.bool_], gists: Gists
    ) -> list[Piece]:
        """Predict the known tokens of segments, all rounds in one pass."""
        found: dict[int, Piece] = {}
        for rows, tokens, count in self._batches(segments):
            condition = Condition(
                count,
                torch.from_numpy(continued[rows]).to(self._device),
                self._signs(gists[rows]),
            )
            states = self._network.predict(tokens, condition, count)
            real = torch.arange(tokens.shape[1], device=self._device) < count[:, None]
            measured = self._intervals(states[real], tokens[real])
            edges = np.cumsum([0, *count.tolist()])
            for place, row in enumerate(rows):
                found[row] = Piece(
                    ids=segments[row],
                    raw=self._tokenizer.bytes_of(segments[row].tolist()),
                    rounds=self.rounds_of(len(segments[row])),
                    intervals=measured.part(slice(edges[place], edges[place + 1])),
                )
        return [found[row] for row in range(len(segments))]

    def _intervals(self, states: Tensor, truth: Tensor) -> Intervals:
        tokens, size = truth.cpu().numpy(), self._config.class_size
        parts = []
        for start in range(0, len(tokens), _PREDICTIONS_AT_ONCE):
            some = slice(start, start + _PREDICTIONS_AT_ONCE)
            classes = Predictions(self._network.class_logits(states[some]))
            inside = Predictions(self._network.token_logits(states[some], truth[some] // size))
            parts.append(Intervals.of(classes, inside, tokens[some], size))
        return Intervals.join(parts)

    def _expand(self, readers: Sequence[Reader], gists: Sequence[Gists]) -> None:
        """Run the backward passes of all learned segments in step, round by round."""
        flat = [
            (reader, index, gist[index])
            for reader, gist in zip(readers, gists, strict=True)
            for index in reader.learned
        ]
        if not flat:
            return
        counts = [reader.counts[index] for reader, index, _ in flat]
        condition = Condition(
            torch.tensor(counts, device=self._device),
            torch.tensor([index > 0 for _, index, _ in flat], device=self._device),
            self._signs(np.stack([gist for _, _, gist in flat])),
        )
        passes = Rounds(self._network, condition)
        tokens = np.zeros((len(flat), max(counts)), np.int64)
        beside: Tensor | None = None
        for round_ in range(passes.rounds):
            CORES.fit()
            place, real = (found.cpu().numpy() for found in passes.positions(round_))
            if round_:
                held = passes.held(round_).cpu().numpy()
                beside = torch.from_numpy(np.take_along_axis(tokens, held, 1)).to(self._device)
            states = passes.predict(round_, beside).flatten(0, 1)
            [filled] = real.ravel().nonzero()
            rows, places = filled // real.shape[1], place.ravel()[filled]
            decoders = [flat[row][0].decoder for row in rows.tolist()]
            tokens[rows, places] = self._read(states[filled], decoders)
        for row, (reader, index, _) in enumerate(flat):
            reader.tokens[index][:] = tokens[row, : counts[row]]

    def _read(self, states: Tensor, decoders: Sequence[RangeDecoder]) -> Integers:
        """Tokens of a round, each from its stream: of all of them the class first."""

        def symbols(predict: Callable[[slice], Tensor]) -> Integers:
            read = []
            for start in range(0, len(decoders), _PREDICTIONS_AT_ONCE):
                some = slice(start, start + _PREDICTIONS_AT_ONCE)
                predictions = Predictions(predict(some))
                read += [predictions.read(row, one) for row, one in enumerate(decoders[some])]
            return np.array(read, np.int64)

        classes = symbols(lambda some: self._network.class_logits(states[some]))
        chosen = torch.from_numpy(classes).to(self._device)
        inside = symbols(lambda some: self._network.token_logits(states[some], chosen[some]))
        return classes * self._config.class_size + inside


def _groups(readers: Sequence[Reader]) -> list[list[int]]:
    """Rows whose learned segments go through the passes together: those of like length."""
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
