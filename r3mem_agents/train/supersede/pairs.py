"""Batches of pairs, drawn for each step."""

from __future__ import annotations

import numpy as np

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.model.pieces import UNKNOWN
from r3mem_agents.train.corpus import Ragged
from r3mem_agents.train.gists import by_length
from r3mem_agents.train.recipe import SupersederRecipe
from r3mem_agents.train.supersede.data import Batch, Rows, Talks


class Pairs:
    """Draws pairs of four kinds, each in its share.

    Args:
        talks: The conversations that they are drawn from.
        pieces: Pieces of each turn.
        confusable: Unlabelled pairs, from memories and from other conversations.
        recipe: Hyperparameters of the run.

    Raises:
        InvalidInputError: If there is no update to train on.
    """

    def __init__(
        self, talks: Talks, pieces: Ragged, confusable: tuple[Rows, Rows], recipe: SupersederRecipe
    ) -> None:
        self._ids, self._starts, self._counts = pieces.ids, pieces.starts, pieces.counts
        self._recipe = recipe
        random = np.random.default_rng(recipe.seed)
        apart = random.random(talks.memories) < recipe.apart
        owner = np.repeat(np.arange(len(talks.talks)), [end - first for first, end in talks.talks])
        mine, others = confusable
        self._kinds: list[Rows] = []
        self._held_out: list[Rows] = []
        for pairs in (np.array(talks.updates), np.array(talks.alike), mine):
            out = apart[owner[pairs[:, 0]]]
            self._kinds.append(pairs[~out])
            self._held_out.append(pairs[out])
        if not len(self._kinds[0]):
            raise InvalidInputError(
                f"all of the {talks.memories} memories with updates were held out: give more, or "
                "another seed"
            )
        self._kinds.append(others)
        rest = 1.0 - recipe.updates - recipe.alike - recipe.talk
        shares = (recipe.updates, recipe.alike, rest, recipe.talk)
        there = np.array([len(pairs) > 0 for pairs in self._kinds]) * shares
        self._shares = there / there.sum()

    def draw(self, step: int) -> list[Batch]:
        """Return the pairs of a step in parts of about equal length; always the same for a step."""
        random = np.random.default_rng((self._recipe.seed, step))
        kinds = random.choice(len(self._kinds), self._recipe.pairs, p=self._shares)
        rows = np.stack([random.choice(self._kinds[kind]) for kind in kinds])
        return self._batches(rows, kinds, random)

    def held_out(self) -> list[Batch]:
        """Return all pairs of held-out memories, in parts."""
        rows = np.concatenate(self._held_out)
        kinds = np.repeat(np.arange(len(self._held_out)), [len(one) for one in self._held_out])
        return self._batches(rows, kinds, None)

    def _batches(self, rows: Rows, kinds: Rows, random: np.random.Generator | None) -> list[Batch]:
        lengths = self._counts[rows].sum(1)
        return [
            Batch(
                [
                    (self._read(older, random), self._read(newer, random))
                    for older, newer in rows[some]
                ],
                kinds[some],
            )
            for some in by_length(lengths, self._recipe.batch_tokens)
        ]

    def _read(self, row: int, random: np.random.Generator | None) -> Rows:
        start = int(self._starts[row])
        pieces = self._ids[start : start + int(self._counts[row])].astype(np.int64)
        if random is not None:
            pieces[1:-1][random.random(len(pieces) - 2) < self._recipe.lost] = UNKNOWN
        return pieces
