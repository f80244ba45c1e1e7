"""Batches of equal cost: segments of one length together, in a fixed number of shapes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from r3mem_agents.train.corpus import Corpus, Ragged
from r3mem_agents.train.recipe import Recipe

STEP = 16
"""Widths of batches are multiples of it; few shapes, since each is compiled for itself."""

HELD_OUT_BATCH = 32

QUERY_TOKENS = 32
"""Tokens of a query that its gist is trained on; 99 % of the questions are shorter."""


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
    """Draws batches at random, each length in proportion to its tokens."""

    def __init__(self, corpus: Corpus, recipe: Recipe) -> None:
        self._corpus = corpus
        self._recipe = recipe
        self._random = np.random.default_rng(recipe.seed)
        self.longest = recipe.config.segment_tokens
        counts = corpus.segments.counts
        shuffled = np.random.default_rng(recipe.seed).permutation(len(counts))
        kept_out = max(1, int(len(shuffled) * recipe.held_out))
        self._held_out, training = shuffled[:kept_out], shuffled[kept_out:]
        by_count = training[np.argsort(counts[training], kind="stable")]
        edges = np.searchsorted(counts[by_count], np.arange(1, self.longest + 2))
        self._rows = [by_count[low:high] for low, high in pairwise(edges)]
        tokens = np.array([counts[rows].sum() for rows in self._rows], float)
        self._share = tokens / tokens.sum()
        self._document_rows = self._by_document()

    def skip_to(self, step: int) -> None:
        """Draw differently after a resume than at the start."""
        self._random = np.random.default_rng((self._recipe.seed, step))

    def segments(self) -> SegmentBatch:
        """Segments of one length for the codec: a part of a step."""
        count = 1 + int(self._random.choice(self.longest, p=self._share))
        width = -(-count // STEP) * STEP
        size = self._recipe.batch_tokens // self._recipe.parts // width
        rows = self._random.choice(self._rows[count - 1], size)
        return segment_batch(self._corpus.segments, rows, width)

    def held_out(self, limit: int) -> list[SegmentBatch]:
        """The first ``limit`` segments that training never sees, in batches."""
        rows = self._held_out[:limit]
        return [
            segment_batch(self._corpus.segments, rows[start : start + HELD_OUT_BATCH], self.longest)
            for start in range(0, len(rows), HELD_OUT_BATCH)
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
        queries = segment_batch(self._corpus.queries, rows, QUERY_TOKENS)
        passages = segment_batch(self._corpus.passages, rows, self.longest)
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
