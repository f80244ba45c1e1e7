"""Batches of segments of one length, drawn on the training device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.reference.layout import Condition
from r3mem_agents.train.corpus import Corpus
from r3mem_agents.train.gists import Gists
from r3mem_agents.train.recipe import ExpanderRecipe

STEP = 16
"""Widths of batches are multiples of this: few shapes, since each is compiled separately."""

MIN_ROWS = 8
MIN_TRAINED = 50
"""At most one in this many segments is held out."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Segments of one length.

    Attributes:
        tokens: ``(batch, positions)`` int64, padded with 0.
        condition: What is known about them before the first round.
        length: Number of tokens of each.
        language: ``(batch,)``, indices into the corpus's languages.
    """

    tokens: Tensor
    condition: Condition
    length: int
    language: NDArray[np.uint8]


class Batches:
    """Draws batches at random, each length in proportion to its number of tokens.

    Args:
        corpus: The segments.
        gists: Their gists.
        recipe: Hyperparameters of the run.
        device: Device that holds the arrays.

    Raises:
        InvalidInputError: If there are too few segments to hold one out.
    """

    def __init__(
        self, corpus: Corpus, gists: Gists, recipe: ExpanderRecipe, device: torch.device
    ) -> None:
        self._recipe, self._language, self.languages = recipe, corpus.language, corpus.languages
        counts = corpus.segments.counts
        kept_out = min(recipe.held_out, len(counts) // MIN_TRAINED)
        if not kept_out:
            raise InvalidInputError(
                f"{len(counts)} segments are too few to train on: give {MIN_TRAINED} at least"
            )
        shuffled = np.random.default_rng(recipe.seed).permutation(len(counts))
        self._held_out = np.sort(shuffled[:kept_out])
        training = np.sort(shuffled[kept_out:])
        other = corpus.language[training] > 0
        kind = counts[training] * 2 + other
        self._rows = {int(one): training[kind == one] for one in np.unique(kind)}
        share = np.array(
            [
                len(rows) * (one // 2) * (recipe.other_languages if one % 2 else 1.0)
                for one, rows in self._rows.items()
            ]
        )
        self._share = share / share.sum()
        self._counts = counts
        self._starts = torch.from_numpy(corpus.segments.starts).to(device)
        self._tokens = torch.from_numpy(corpus.segments.ids.astype(np.int32)).to(device)
        self._continued = torch.from_numpy(corpus.continued.astype(np.int64)).to(device)
        self._gists = torch.from_numpy(gists).to(device)
        self._bit = torch.arange(7, -1, -1, device=device)

    def draw(self, step: int) -> Iterator[Batch]:
        """Return the parts of a step; always the same for the same step."""
        random = np.random.default_rng((self._recipe.seed, step))
        for _ in range(self._recipe.parts):
            kind = int(random.choice(list(self._rows), p=self._share))
            width = -(-(kind // 2) // STEP) * STEP
            size = max(MIN_ROWS, self._recipe.batch_tokens // width)
            yield self._batch(random.choice(self._rows[kind], size), kind // 2)

    def held_out(self) -> Iterator[Batch]:
        """Return the held-out segments."""
        counts = self._counts[self._held_out]
        for length in np.unique(counts).tolist():
            rows = self._held_out[counts == length]
            size = max(1, self._recipe.batch_tokens // length)
            for start in range(0, len(rows), size):
                yield self._batch(rows[start : start + size], length)

    def _batch(self, rows: NDArray[np.int64], length: int) -> Batch:
        device = self._tokens.device
        chosen = torch.from_numpy(rows).to(device)
        place = torch.arange(-(-length // STEP) * STEP, device=device)
        index = (self._starts[chosen][:, None] + place).clamp_max(len(self._tokens) - 1)
        tokens = torch.where(place < length, self._tokens[index].long(), 0)
        bits = (self._gists[chosen][..., None] >> self._bit) & 1
        gist = bits.flatten(1).float() * 2 - 1
        count = torch.full((len(rows),), length, device=device)
        condition = Condition(count, self._continued[chosen], gist)
        return Batch(tokens, condition, length, self._language[rows])
