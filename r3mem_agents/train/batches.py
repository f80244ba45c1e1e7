"""Batches of equal cost: segments of one length together, in a fixed number of shapes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.tokenizer import Tokenizer
from r3mem_agents.model.words import Words, padded
from r3mem_agents.train.corpus import Corpus, Ragged, ragged
from r3mem_agents.train.recipe import Recipe
from r3mem_agents.train.taught import Taught

STEP = 16
"""Widths of batches are multiples of it; few shapes, since each is compiled for itself."""

HELD_OUT_BATCH = 32

TAUGHT_WIDTHS = (32, 64)
"""Widths of batches of taught texts."""

QUERY_TOKENS = 32
"""Tokens of a query that its gist is trained on; 99 % of the questions are shorter."""


@dataclass(frozen=True, slots=True)
class SegmentBatch:
    """Segments in natural order.

    Attributes:
        tokens: ``(batch, positions)`` int64, zero-padded.
        words: ``(batch, positions)`` int64, ids of the words in it, filled up with 0.
        count: ``(batch,)`` int64.
        continued: ``(batch,)`` int64, 0 or 1.
    """

    tokens: Tensor
    words: Tensor
    count: Tensor
    continued: Tensor

    def to(self, device: torch.device) -> SegmentBatch:
        """The same on another device."""
        return SegmentBatch(
            self.tokens.to(device),
            self.words.to(device),
            self.count.to(device),
            self.continued.to(device),
        )


@dataclass(frozen=True, slots=True)
class TaughtBatch:
    """Texts, and ``(batch, gist_bits)`` what their gists should be like."""

    texts: SegmentBatch
    targets: Tensor


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Queries, the passages that answer them, and which pairs must not count as negatives."""

    queries: SegmentBatch
    passages: SegmentBatch
    same: Tensor


class Batches:
    """Draws batches at random, each length in proportion to its tokens."""

    def __init__(
        self,
        corpus: Corpus,
        recipe: Recipe,
        tokenizer: Tokenizer,
        words: Words,
        taught: Taught | None = None,
    ) -> None:
        self._corpus = corpus
        self._recipe = recipe
        self._tokenizer, self._words = tokenizer, words
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
        self._taught = self._cut(taught) if taught is not None else None

    def skip_to(self, step: int) -> None:
        """Draw differently after a resume than at the start."""
        self._random = np.random.default_rng((self._recipe.seed, step))

    def segments(self) -> SegmentBatch:
        """Segments of one length for the codec: a part of a step."""
        count = 1 + int(self._random.choice(self.longest, p=self._share))
        width = -(-count // STEP) * STEP
        size = self._recipe.batch_tokens // self._recipe.parts // width
        rows = self._random.choice(self._rows[count - 1], size)
        return self._batch(self._corpus.segments, rows, width)

    def held_out(self, limit: int) -> list[SegmentBatch]:
        """The first ``limit`` segments that training never sees, in batches."""
        rows = self._held_out[:limit]
        return [
            self._batch(self._corpus.segments, rows[start : start + HELD_OUT_BATCH], self.longest)
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
        queries = self._batch(self._corpus.queries, rows, QUERY_TOKENS)
        passages = self._batch(self._corpus.passages, rows, self.longest)
        same = equal_rows(passages.tokens) | equal_rows(queries.tokens)
        same.fill_diagonal_(False)
        return PairBatch(queries, passages, same)

    @property
    def is_taught(self) -> bool:
        """Whether a teacher says what gists should be like."""
        return self._taught is not None

    def pair_words(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Word ids of all queries and of all passages, filled up with 0."""
        queries, passages = (
            padded([self._said(tokens) for tokens in np.split(part.tokens, part.starts[1:-1])])
            if len(part)
            else padded([])
            for part in (self._corpus.queries, self._corpus.passages)
        )
        return queries, passages

    def taught(self) -> TaughtBatch:
        """Texts with targets for the gist, as many positions as a step of the codec has.

        Raises:
            InvalidInputError: Nothing is taught.
        """
        if self._taught is None:
            raise InvalidInputError("there is no teacher: give Batches what is taught")
        texts, rows_by_width, targets = self._taught
        share = np.array([len(rows) * width for width, rows in rows_by_width.items()], float)
        width = int(self._random.choice(list(rows_by_width), p=share / share.sum()))
        rows = self._random.choice(rows_by_width[width], self._recipe.batch_tokens // width)
        return TaughtBatch(self._batch(texts, rows, width), targets[torch.from_numpy(rows)])

    def _cut(self, taught: Taught) -> tuple[Ragged, dict[int, NDArray[np.int64]], Tensor]:
        # Taught texts as tokens, their rows by width of the batch, and targets.
        encoded = self._tokenizer.encode_batch(taught.texts)
        texts = ragged([np.array(ids[: self.longest], np.uint16) for ids in encoded])
        place = np.searchsorted(TAUGHT_WIDTHS, texts.counts)
        rows = {
            width: np.flatnonzero((place == number) & (texts.counts > 0))
            for number, width in enumerate(TAUGHT_WIDTHS)
        }
        filled = {width: some for width, some in rows.items() if len(some)}
        return texts, filled, torch.from_numpy(taught.targets)

    def _batch(self, part: Ragged, rows: NDArray[np.int64], width: int) -> SegmentBatch:
        # Rows of a ragged array as a batch of that width; longer rows are cut.
        tokens, counts = part.padded(rows, width), np.minimum(part.counts[rows], width)
        said = [self._said(row[:count]) for row, count in zip(tokens, counts, strict=True)]
        return SegmentBatch(
            torch.from_numpy(tokens),
            torch.from_numpy(padded(said, width)),
            torch.from_numpy(counts),
            torch.from_numpy(part.continued[rows].astype(np.int64)),
        )

    def _said(self, tokens: NDArray[np.integer]) -> list[int]:
        return self._words.ids(self._tokenizer.text_of(tokens.tolist()))

    def _by_document(self) -> list[NDArray[np.int64]]:
        groups = self._corpus.groups
        order = np.argsort(groups, kind="stable")
        edges = np.flatnonzero(np.diff(groups[order])) + 1
        return np.split(order, edges)


def equal_rows(tokens: Tensor) -> Tensor:
    """Boolean ``(batch, batch)``: which rows are the same."""
    kind = torch.unique(tokens, dim=0, return_inverse=True)[1]
    same: Tensor = kind[:, None] == kind[None]
    return same
