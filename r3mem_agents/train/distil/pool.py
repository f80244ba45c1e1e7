"""Texts with targets, made once, and batches of them, drawn on the training device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from r3mem_agents.model.pieces import PADDING
from r3mem_agents.train.corpus import Ragged
from r3mem_agents.train.recipe import EncoderRecipe

KINDS = ("english", "others", "parallel")
"""Kinds of texts, by what their targets are (``texts``)."""

WIDTHS = (16, 32, 64, 128)
"""Widths of batches; few shapes, since each is compiled separately."""

LONG_LESS = 0.75
"""A width is drawn in proportion to this power of its number of tokens: short texts count more."""

MIN_TRAINED = 10
"""At most one in this many texts is held out."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The data of an encoder.

    Attributes:
        pieces: Pieces of each text.
        targets: ``(texts, dimensions)``, of length 1.
        kind: Index of each text's kind in ``KINDS``.
    """

    pieces: Ragged
    targets: NDArray[np.float16]
    kind: NDArray[np.uint8]

    def save(self, path: Path) -> None:
        """Write the arrays to one ``.npz`` file."""
        np.savez(
            path, ids=self.pieces.ids, counts=self.pieces.counts, targets=self.targets,
            kind=self.kind,
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> Pool:
        """Read what ``save`` wrote."""
        with np.load(path) as arrays:
            pieces = Ragged(arrays["ids"], arrays["counts"])
            return cls(pieces, arrays["targets"], arrays["kind"])


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch.

    Attributes:
        pieces: ``(batch, positions)`` int64.
        count: ``(batch,)`` int64.
        targets: ``(batch, dimensions)`` floats.
        weight: ``(batch,)``.
        kind: ``(batch,)``, indices into ``KINDS``.
    """

    pieces: Tensor
    count: Tensor
    targets: Tensor
    weight: Tensor
    kind: NDArray[np.uint8]


class Lessons:
    """Draws batches of texts of similar length, each kind in its share.

    Args:
        pool: Texts with targets.
        recipe: Hyperparameters of the run.
        device: Device that holds the arrays.
    """

    def __init__(self, pool: Pool, recipe: EncoderRecipe, device: torch.device) -> None:
        self._recipe, self._kind = recipe, pool.kind
        counts = np.minimum(pool.pieces.counts, recipe.positions)
        self.widths = sorted({min(width, recipe.positions) for width in WIDTHS})
        bucket = np.searchsorted(self.widths, counts)
        shuffled = np.random.default_rng(recipe.seed).permutation(len(counts))
        kept_out = min(recipe.held_out, len(counts) // MIN_TRAINED)
        apart = np.zeros(len(counts), bool)
        apart[shuffled[:kept_out]] = True
        self._held_out = np.flatnonzero(apart)
        self._bucket = bucket
        self._rows = {
            (place, kind): rows
            for place in range(len(self.widths))
            for kind in range(len(KINDS))
            if len(rows := np.flatnonzero((bucket == place) & (pool.kind == kind) & ~apart))
        }
        tokens = np.bincount(bucket[~apart], counts[~apart], len(self.widths)) ** LONG_LESS
        self._share = tokens / tokens.sum()
        self._starts = torch.from_numpy(pool.pieces.starts).to(device)
        self._counts = torch.from_numpy(counts).to(device)
        self._pieces = torch.from_numpy(pool.pieces.ids.astype(np.int32)).to(device)
        self._targets = torch.from_numpy(pool.targets).to(device)

    def draw(self, step: int) -> Lesson:
        """Return the batch of a step; always the same for the same step."""
        random = np.random.default_rng((self._recipe.seed, step))
        place = int(random.choice(len(self.widths), p=self._share))
        size = self._recipe.batch_tokens // self.widths[place]
        shares = (self._recipe.english, self._recipe.others, self._recipe.parallel)
        rows = [
            random.choice(self._rows[place, kind], max(1, int(size * share)))
            for kind, share in enumerate(shares)
            if (place, kind) in self._rows
        ]
        return self._lesson(np.concatenate(rows), self.widths[place])

    def held_out(self) -> Iterator[Lesson]:
        """Return the held-out texts."""
        for place, width in enumerate(self.widths):
            rows = self._held_out[self._bucket[self._held_out] == place]
            size = max(1, self._recipe.batch_tokens // width)
            for start in range(0, len(rows), size):
                yield self._lesson(rows[start : start + size], width)

    @property
    def english_targets(self) -> Tensor:
        """The targets of all English texts."""
        return self._targets[torch.from_numpy(np.flatnonzero(self._kind == 0))]

    def _lesson(self, rows: NDArray[np.int64], width: int) -> Lesson:
        device = self._pieces.device
        chosen, place = torch.from_numpy(rows).to(device), torch.arange(width, device=device)
        count, kind = self._counts[chosen], self._kind[rows]
        index = (self._starts[chosen][:, None] + place).clamp_max(len(self._pieces) - 1)
        inside = place < count[:, None]
        pieces = torch.where(inside, self._pieces[index].long(), PADDING)
        weight = np.where(kind == KINDS.index("others"), self._recipe.others_weight, 1.0)
        return Lesson(
            pieces,
            count,
            self._targets[chosen].float(),
            torch.from_numpy(weight.astype(np.float32)).to(device),
            kind,
        )
