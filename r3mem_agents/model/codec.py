"""The passes of the network over segments: gists, predictions of known tokens, expansion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from r3mem_agents.errors import ExpansionError
from r3mem_agents.model.network import R3MemNetwork
from r3mem_agents.model.predictions import Integers, Intervals, Predictions
from r3mem_agents.model.schedule import positions_in_rounds
from r3mem_agents.model.stream import SEGMENTS, Encoded, Piece, Reader, Static, write
from r3mem_agents.model.tokenizer import Tokenizer

_SEGMENTS_AT_ONCE = 8
_PREDICTIONS_AT_ONCE = 128
"""Sizes of batches whose intermediate tensors malloc keeps, instead of mapping and faulting them
in anew each time (docs/LOG.md, 2026-11-21, "Small batches")."""

Gists = NDArray[np.uint8]


class Codec:
    """Memory tokens of texts under a frozen network."""

    def __init__(
        self, network: R3MemNetwork, tokenizer: Tokenizer, static_counts: NDArray[np.int64]
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

    def gists(self, segments: Sequence[Integers]) -> Gists:
        """Forward pass: gists ``(segments, gist_bits / 8)``, most significant bit first."""
        out = np.zeros((len(segments), self._config.gist_bits // 8), np.uint8)
        for rows, tokens, count in self._batches(segments):
            gist = self._network.gist(tokens, count)
            out[rows] = np.packbits((gist > 0).cpu().numpy(), axis=1)
        return out

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
        """Rows, padded tokens in the order of rounds, and counts; like widths together."""
        rounds = self._config.rounds
        by_width: dict[int, list[int]] = {}
        for row, segment in enumerate(segments):
            by_width.setdefault(-(-len(segment) // rounds) * rounds, []).append(row)
        for width, members in sorted(by_width.items()):
            order = positions_in_rounds(self._config, width).numpy()
            for start in range(0, len(members), _SEGMENTS_AT_ONCE):
                rows = members[start : start + _SEGMENTS_AT_ONCE]
                padded = np.zeros((len(rows), width), np.int64)
                for place, row in enumerate(rows):
                    padded[place, : len(segments[row])] = segments[row]
                count = torch.tensor([len(segments[row]) for row in rows], device=self._device)
                yield rows, torch.from_numpy(padded[:, order]).to(self._device), count

    def _signs(self, gists: Gists) -> Tensor:
        bits = np.unpackbits(gists, axis=1).astype(np.float32)
        return torch.from_numpy(bits * 2 - 1).to(self._device)

    def _pieces(
        self, segments: Sequence[Integers], continued: NDArray[np.bool_], gists: Gists
    ) -> list[Piece]:
        """Predict the known tokens of segments, all rounds in one pass."""
        found: dict[int, Piece] = {}
        for rows, tokens, count in self._batches(segments):
            going_on = torch.from_numpy(continued[rows]).to(self._device)
            states = self._network.predict(tokens, count, going_on, self._signs(gists[rows]))
            order = positions_in_rounds(self._config, tokens.shape[1])
            real = order[None].to(self._device) < count[:, None]
            measured = self._intervals(states[real], tokens[real])
            edges = np.cumsum([0, *count.tolist()])
            for place, row in enumerate(rows):
                kept = order.numpy()[order.numpy() < len(segments[row])]
                found[row] = Piece(
                    ids=segments[row],
                    raw=self._tokenizer.bytes_of(segments[row].tolist()),
                    rounds=kept % self._config.rounds,
                    order=kept,
                    intervals=measured.part(slice(edges[place], edges[place + 1])),
                )
        return [found[row] for row in range(len(segments))]

    def _intervals(self, states: Tensor, truth: Tensor) -> Intervals:
        tokens, size = truth.cpu().numpy(), _PREDICTIONS_AT_ONCE
        return Intervals.join(
            [
                Predictions(self._network.logits(states[start : start + size])).intervals(
                    tokens[start : start + size]
                )
                for start in range(0, len(tokens), size)
            ]
        )

    def _expand(self, readers: Sequence[Reader], gists: Sequence[Gists]) -> None:
        """Run the backward passes of all learned segments in step, round by round."""
        flat = [
            (reader, index, gist[index])
            for reader, gist in zip(readers, gists, strict=True)
            for index in reader.learned
        ]
        if not flat:
            return
        rounds = self._config.rounds
        counts = np.array([reader.counts[index] for reader, index, _ in flat])
        lanes = -(-int(counts.max()) // rounds)
        passes = self._network.begin(
            torch.from_numpy(counts).to(self._device),
            torch.tensor([index > 0 for _, index, _ in flat], device=self._device),
            self._signs(np.stack([gist for _, _, gist in flat])),
            lanes * rounds,
        )
        for turn in range(min(rounds, int(counts.max()))):
            states = passes.predict()
            rows, columns = np.nonzero(np.arange(lanes) * rounds + turn < counts[:, None])
            predictions = Predictions(self._network.logits(states[rows, columns]))
            tokens = np.zeros((len(flat), lanes), np.int64)
            for place, (row, lane) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
                reader, index, _ = flat[row]
                token = predictions.read(place, reader.decoder)
                reader.tokens[index][lane * rounds + turn] = tokens[row, lane] = token
            passes.supply(torch.from_numpy(tokens).to(self._device))


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
