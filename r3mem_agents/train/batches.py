"""Batches of equal cost: segments of like length together, in a fixed number of shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from r3mem_agents.train.corpus import Corpus, Ragged
from r3mem_agents.train.recipe import Recipe

WIDTHS_IN_LANES = (1, 2, 4)
"""Widths of batches, in lanes; few shapes, since each is compiled for itself."""


@dataclass(frozen=True, slots=True)
class SegmentBatch:
    """Segments in natural order.

    Attributes:
        tokens: ``(batch, positions)`` int64, zero-padded.
        count: ``(batch,)`` int64.
        continued: ``(batch,)`` int64, 0 or 1.
    """

    tokens: Tensor
    count: Tensor
    continued: Tensor

    def to(self, device: torch.device) -> SegmentBatch:
        """The same on another device."""
        return SegmentBatch(
            self.tokens.to(device), self.count.to(device), self.continued.to(device)
        )


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Queries, the passages that answer them, and which pairs must not count as negatives."""

    queries: SegmentBatch
    passages: SegmentBatch
    same: Tensor


class Batches:
    """Draws batches at random, each shape in proportion to its tokens."""

    def __init__(self, corpus: Corpus, recipe: Recipe) -> None:
        self._corpus = corpus
        self._recipe = recipe
        self._random = np.random.default_rng(recipe.seed)
        self.widths = [recipe.config.rounds * lanes for lanes in WIDTHS_IN_LANES]
        counts = corpus.segments.counts
        shuffled = np.random.default_rng(recipe.seed).permutation(len(counts))
        kept_out = max(1, int(len(shuffled) * recipe.held_out))
        self._held_out, training = shuffled[:kept_out], shuffled[kept_out:]
        narrower = np.array([0, *self.widths[:-1]])
        self._rows = [
            training[(counts[training] > low) & (counts[training] <= high)]
            for low, high in zip(narrower, self.widths, strict=True)
        ]
        tokens = np.array([counts[rows].sum() for rows in self._rows], float)
        self._share = tokens / tokens.sum()
        self._document_rows = self._by_document()

    def skip_to(self, step: int) -> None:
        """Draw differently after a resume than at the start."""
        self._random = np.random.default_rng((self._recipe.seed, step))

    def segments(self) -> SegmentBatch:
        """A batch for the codec."""
        shape = int(self._random.choice(len(self.widths), p=self._share))
        size = self._recipe.batch_tokens // self.widths[shape]
        rows = self._random.choice(self._rows[shape], size)
        return segment_batch(self._corpus.segments, rows, self.widths[shape])

    def held_out(self, limit: int) -> list[SegmentBatch]:
        """The first ``limit`` segments that training never sees, in batches."""
        rows, width = self._held_out[:limit], self.widths[-1]
        size = self._recipe.batch_tokens // width
        return [
            segment_batch(self._corpus.segments, rows[start : start + size], width)
            for start in range(0, len(rows), size)
        ]

    @property
    def has_pairs(self) -> bool:
        """Whether there is anything to train the gist's lookups on."""
        return len(self._corpus.groups) > 0

    def pairs(self) -> PairBatch:
        """A batch for the gist: half of it in twos from the same document, as hard negatives."""
        size = self._recipe.pair_batch
        rows = self._random.integers(len(self._corpus.groups), size=size)
        for place in range(0, size // 2, 2):
            siblings = self._document_rows[self._corpus.groups[rows[place]]]
            rows[place + 1] = self._random.choice(siblings)
        queries = segment_batch(self._corpus.queries, rows, self.widths[1])
        passages = segment_batch(self._corpus.passages, rows, self.widths[-1])
        same = equal_rows(passages.tokens) | equal_rows(queries.tokens)
        same.fill_diagonal_(False)
        return PairBatch(queries, passages, same)

    def _by_document(self) -> list[NDArray[np.int64]]:
        groups = self._corpus.groups
        order = np.argsort(groups, kind="stable")
        edges = np.flatnonzero(np.diff(groups[order])) + 1
        return np.split(order, edges)


def segment_batch(ragged: Ragged, rows: NDArray[np.int64], width: int) -> SegmentBatch:
    """Rows of a ragged array as a batch of that width; longer rows are cut."""
    return SegmentBatch(
        torch.from_numpy(ragged.padded(rows, width)),
        torch.from_numpy(np.minimum(ragged.counts[rows], width)),
        torch.from_numpy(ragged.continued[rows].astype(np.int64)),
    )


def equal_rows(tokens: Tensor) -> Tensor:
    """Boolean ``(batch, batch)``: which rows are the same."""
    return (tokens[:, None] == tokens[None]).all(-1)
