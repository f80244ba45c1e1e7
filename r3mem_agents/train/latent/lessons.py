"""Batches: histories, and texts that are read after them, of one shape each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.train.corpus import Counts, Ragged
from r3mem_agents.train.latent.texts import Texts
from r3mem_agents.train.latent.words import Words
from r3mem_agents.train.recipe import LatentRecipe

Tokens = NDArray[np.int64]

LIKE = 16
"""Passages of a batch are drawn from so many times as many of about their length."""

SHORTEST_PASSAGE = 32
"""Tokens; a shorter one is hardly longer than its memory tokens."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch.

    Attributes:
        kind: ``document``, ``paragraph`` or ``entity``.
        histories: Segments, in order, ``(histories, segments, length)``.
        of: The history of each text, ``(texts,)``; as many texts follow each segment.
        text: What is read after the memory tokens of the first segment, then of the first two, and
            so on, ``(segments, texts, length)``.
        scored: Which of its tokens count; never the first.
        raw: Last tokens of the history that a text is read after, too.
        folded: Whether the memory tokens of several segments are folded.
        rebuilt: A segment that is to be rebuilt, or ``None``.
    """

    kind: str
    histories: Tokens
    of: Tokens
    text: Tokens
    scored: NDArray[np.bool_]
    raw: int = 0
    folded: bool = False
    rebuilt: int | None = None

    @property
    def tokens(self) -> int:
        """All that is read."""
        return self.histories.size + self.text.size


class Lessons:
    """Draws batches, always the same for the same step.

    Args:
        texts: The training data.
        words: Which tokens begin words.
        recipe: Hyperparameters of the run.
        limit: Positions that the base has; ``None``: no limit is known.
    """

    def __init__(self, texts: Texts, words: Words, recipe: LatentRecipe, limit: int | None) -> None:
        self._texts, self._words, self._recipe = texts, words, recipe
        self._trained = np.flatnonzero(~texts.held_documents)
        self._shapes = [
            (count, length)
            for count in recipe.histories
            for length in recipe.segments
            if (limit is None or 1 + count * length + recipe.read <= limit)
            and self._room(self._trained, count * length).any()
        ]
        if not self._shapes:
            raise InvalidInputError(
                f"no document has the {min(recipe.segments) + recipe.read} tokens that a batch "
                "takes, or the base has too few positions; give longer texts"
            )
        apart = texts.held_pairs | (texts.passages.counts < SHORTEST_PASSAGE)
        pairs = np.flatnonzero(~apart)
        self._pairs = pairs[np.argsort(texts.passages.counts[pairs], kind="stable")]

    def draw(self, step: int) -> list[Lesson]:
        """Return the batches of a step: texts are read after raw tokens in one and not the next."""
        recipe, lessons = self._recipe, []
        for part in range(recipe.parts):
            random = np.random.default_rng((recipe.seed, step, part))
            kind, rebuilt = random.random(), random.random() < recipe.rebuilt
            if kind < recipe.paragraph and len(self._pairs):
                lessons.append(self._questions(random))
            elif kind > 1 - recipe.entity:
                lessons.append(self._rare_words(random))
            else:
                lessons.append(self._documents(random, part % 2 == 1, rebuilt))
        return lessons

    def held_out(self) -> list[Lesson]:
        """Return windows of held-out documents, one of each."""
        recipe, texts = self._recipe, self._texts
        length = min(recipe.segments)
        held = np.flatnonzero(texts.held_documents)
        room = self._room(held, length)
        random = np.random.default_rng(recipe.seed)
        chosen = random.permutation(held[room > 0])[: recipe.held_out]
        starts = (random.random(len(chosen)) * self._room(chosen, length)).astype(np.int64)
        rows = max(1, self._rows(length))
        return [
            self._read_on(chosen[at : at + rows], starts[at : at + rows], (1, length))
            for at in range(0, len(chosen), rows)
        ]

    def _documents(self, random: np.random.Generator, raw: bool, rebuilt: bool) -> Lesson:
        recipe = self._recipe
        count, length = self._shapes[random.integers(len(self._shapes))]
        chosen, starts = self._windows(random, max(1, self._rows(count * length)), count * length)
        return self._read_on(
            chosen,
            starts,
            (count, length),
            raw=recipe.raw if raw else 0,
            folded=count > 1 and random.random() < recipe.folded,
            rebuilt=int(random.integers(count)) if rebuilt else None,
        )

    def _rare_words(self, random: np.random.Generator) -> Lesson:
        recipe = self._recipe
        length = int(random.choice([length for _, length in self._shapes]))
        chosen, starts = self._windows(random, max(1, self._rows(length)), length)
        segments = self._cut(chosen, starts, length)
        text, scored = [], []
        for segment in segments:
            for asked, counted in self._words.rare(segment, recipe.words, recipe.lead, random):
                text.append(asked)
                scored.append(counted)
        of = np.repeat(np.arange(len(segments)), recipe.words)
        return Lesson("entity", segments[:, None], of, np.stack(text)[None], np.stack(scored)[None])

    def _questions(self, random: np.random.Generator) -> Lesson:
        texts, pairs = self._texts, self._pairs
        place = int(random.integers(len(pairs)))
        length = int(texts.passages.counts[pairs[place]])
        rows = max(2, self._rows(max(length, min(self._recipe.segments))))
        first = max(0, min(place, len(pairs) - LIKE * rows))
        near = pairs[first : first + LIKE * rows]
        chosen = random.choice(near, min(rows, len(near)), replace=False)
        shortest = int(texts.passages.counts[chosen].min())
        length = min(shortest, max(self._recipe.segments))
        passages = _rows(texts.passages, chosen, np.zeros(len(chosen), np.int64), length)
        asked = texts.prompts.counts[chosen]
        ends = asked + texts.answers.counts[chosen]
        text = np.zeros((len(chosen), ends.max()), np.int64)
        for row, pair, before, end in zip(text, chosen, asked, ends, strict=True):
            row[:before], row[before:end] = _one(texts.prompts, pair), _one(texts.answers, pair)
        place_of = np.arange(text.shape[1])
        scored = (place_of >= asked[:, None]) & (place_of < ends[:, None])
        of = np.arange(len(chosen))
        return Lesson("paragraph", passages[:, None], of, text[None], scored[None])

    def _read_on(
        self,
        chosen: Counts,
        starts: Counts,
        shape: tuple[int, int],
        *,
        raw: int = 0,
        folded: bool = False,
        rebuilt: int | None = None,
    ) -> Lesson:
        count, length = shape
        window = self._cut(chosen, starts, count * length + self._recipe.read)
        histories = window[:, : count * length].reshape(-1, count, length)
        ends = length * np.arange(1, count + 1)
        text = np.stack([window[:, end : end + self._recipe.read] for end in ends])
        scored = np.ones(text.shape, bool)
        scored[..., 0] = False  # nothing stands before it that a base could read
        of = np.arange(len(window))
        return Lesson("document", histories, of, text, scored, raw, folded, rebuilt)

    def _windows(
        self, random: np.random.Generator, rows: int, history: int
    ) -> tuple[Counts, Counts]:
        """Documents and starts of windows, each window of the data as likely as any other."""
        ends = np.cumsum(self._room(self._trained, history))
        places = random.integers(ends[-1], size=rows)
        which = np.searchsorted(ends, places, side="right")
        chosen = self._trained[which]
        return chosen, ends[which] - places - 1

    def _room(self, documents: Counts, history: int) -> Counts:
        """How many windows there are in documents."""
        counts = self._texts.documents.counts[documents]
        return np.maximum(0, counts - history - self._recipe.read + 1)

    def _rows(self, history: int) -> int:
        return self._recipe.batch_tokens // history

    def _cut(self, chosen: Counts, starts: Counts, length: int) -> Tokens:
        return _rows(self._texts.documents, chosen, starts, length)


def _rows(texts: Ragged, chosen: Counts, starts: Counts, length: int) -> Tokens:
    places: Counts = (texts.starts[chosen] + starts)[:, None] + np.arange(length)
    cut: Tokens = texts.ids[places].astype(np.int64)
    return cut


def _one(texts: Ragged, place: int) -> Tokens:
    start = texts.starts[place]
    one: Tokens = texts.ids[start : start + texts.counts[place]].astype(np.int64)
    return one
