"""Questions and their answers: texts, what is known about each, and batches of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.train.corpus import ENGLISH, MB, Ragged, data_files, language_of, records
from r3mem_agents.train.recipe import TuningRecipe

LONGEST_SIDE = 400
"""Maximum number of characters read of a side of a pair; turns are short."""

NOTHING = -1
"""Stands for the near miss of a pair that has none."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Questions, their answers, and near misses: texts that are similar to an answer but are none.

    Attributes:
        texts: All texts, each once.
        taught: Whether the teacher embeds a text: only English ones of the target data,
            ``(texts,)``.
        query: Index in ``texts`` of each question, ``(pairs,)``.
        passage: Index of the answer.
        near: Indices of the near misses of each pair, any number; a batch draws one.
        group: Group of each pair; pairs of one group may answer each other's questions.
        files: Rows of pairs by file; those of the target data come first.
        own: Number of ``files`` of the target data.
    """

    texts: list[str]
    taught: NDArray[np.bool_]
    query: Rows
    passage: Rows
    near: Ragged
    group: Rows
    files: list[Rows]
    own: int

    def near_of(self, rows: Rows, random: np.random.Generator) -> Rows:
        """Return a near miss of each of these pairs, or ``NOTHING`` where it has none."""
        counts = self.near.counts[rows]
        if not len(self.near.ids):
            return np.full(len(rows), NOTHING)
        place = self.near.starts[rows] + (random.random(len(rows)) * counts).astype(np.int64)
        return np.where(
            counts > 0, self.near.ids[np.minimum(place, len(self.near.ids) - 1)], NOTHING
        )


def read(data: Path, beside: Path | None, pair_mb: float) -> Pairs:
    """Read the pairs of folders.

    Args:
        data: Folder of the target data.
        beside: Folder of other pairs.
        pair_mb: Maximum megabytes read from one of its files.

    Raises:
        InvalidInputError: If a folder has none.
    """
    place: dict[str, int] = {}
    groups: dict[str, int] = {}
    taught: list[bool] = []
    rows: list[tuple[int, int, int]] = []
    near: list[list[int]] = []
    files: list[Rows] = []

    def add(text: str, teach: bool) -> int:
        text = text[:LONGEST_SIDE]
        if text not in place:
            place[text] = len(place)
            taught.append(teach)
        return place[text]

    own = 0
    for folder, most in ((data, float("inf")), (beside, pair_mb * MB)):
        if folder is None:
            continue
        before = len(rows)
        for path in data_files(folder):
            first, taken = len(rows), 0
            for record in records(path):
                if taken > most:
                    break
                ours, language = folder is data, language_of(record)
                asks = ours and record.get("cross", language) == ENGLISH
                says = ours and language == ENGLISH
                for query, passage, missed, group in _pairs(record):
                    name = f"{path.stem}/{group}"
                    place_of = groups.setdefault(name, len(groups))
                    rows.append((add(query, asks), add(passage, says), place_of))
                    near.append([add(text, says) for text in missed])
                    taken += len(query) + len(passage)
            if len(rows) > first:
                files.append(np.arange(first, len(rows)))
        if len(rows) == before:
            raise InvalidInputError(f"{folder} holds no pair: there is nothing to tune on")
        own = own or len(files)
    query, passage, group = np.array(rows, np.int64).T
    near_misses = Ragged.of(near, np.int64)
    return Pairs(list(place), np.array(taught), query, passage, near_misses, group, files, own)


def _pairs(record: dict[str, Any]) -> Iterator[tuple[str, str, list[str], str]]:
    # Questions, passages, near misses and groups of a record.
    if record["type"] == "memory":
        said = [turn["text"] for turn in record["turns"]]
        partner: defaultdict[int, list[int]] = defaultdict(list)
        for one, other in [*record.get("updates", ()), *record.get("alike", ())]:
            partner[one].append(other)
            partner[other].append(one)
        for question in record.get("questions", ()):
            for gold in question.get("gold", ()):
                others = partner[gold] or list(range(len(said)))
                near = [said[row] for row in others if row not in question["gold"]]
                yield question["query"], said[gold], near, said[gold][:LONGEST_SIDE]
    elif record["type"] == "pair" and record["query"] and record["passage"]:
        near = [record["near"]] if record.get("near") else []
        group = record.get("group", record["passage"][:LONGEST_SIDE])
        yield record["query"], record["passage"], near, group


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about the texts of pairs before training.

    Attributes:
        pieces: Pieces of each text.
        targets: The teacher's vectors, of length 1; zeros for texts that it does not read.
        gists: The initial encoder's gists before binarization, of length 1.
    """

    pieces: Ragged
    targets: NDArray[np.float16]
    gists: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch: its texts, and which of them are questions and possible answers.

    Attributes:
        texts: Indices into ``Pairs.texts``, each once; ``(texts,)``.
        asked: Indices in ``texts`` of the questions, ``(questions,)``.
        candidates: Indices of possible answers: passages, then near misses; ``(candidates,)``.
        answers: Whether a candidate answers a question, ``(questions, candidates)``.
        unsure: Whether it might, though it belongs to another pair.
    """

    texts: Rows
    asked: Rows
    candidates: Rows
    answers: NDArray[np.bool_]
    unsure: NDArray[np.bool_]


class Lessons:
    """Draws batches of pairs from the target data and from the others.

    Args:
        pairs: All of them.
        recipe: Hyperparameters of the run.
    """

    def __init__(self, pairs: Pairs, recipe: TuningRecipe) -> None:
        self._pairs, self._recipe = pairs, recipe
        random = np.random.default_rng(recipe.seed)
        self._rows, self._held_out = [], []
        for number, rows in enumerate(pairs.files):
            groups = random.permutation(np.unique(pairs.group[rows]))
            apart = np.isin(pairs.group[rows], groups[: int(len(groups) * recipe.apart)])
            self._rows.append(rows[~apart])
            if number < pairs.own:
                self._held_out.append(rows[apart])

    def draw(self, step: int) -> Lesson:
        """Return the batch of a step; always the same for the same step."""
        random = np.random.default_rng((self._recipe.seed, step))
        own = self._draw(self._rows[: self._pairs.own], self._recipe.own, random)
        others = self._draw(self._rows[self._pairs.own :], self._recipe.others, random)
        rows = np.concatenate([own, others])
        return lesson(self._pairs, rows, self._pairs.near_of(rows, random))

    def held_out(self) -> Lesson:
        """Return the held-out pairs of the target data, as one batch."""
        rows = np.concatenate(self._held_out)
        random = np.random.default_rng(self._recipe.seed)
        return lesson(self._pairs, rows, self._pairs.near_of(rows, random))

    @staticmethod
    def _draw(files: Sequence[Rows], size: int, random: np.random.Generator) -> Rows:
        # Each file in proportion to the square root of its number of pairs: large ones are
        # repetitive.
        if not files:
            return np.zeros(0, np.int64)
        share = np.sqrt([len(rows) for rows in files])
        chosen = random.choice(len(files), size, p=share / share.sum())
        return np.array([random.choice(files[one]) for one in chosen])


def lesson(pairs: Pairs, rows: Rows, near: Rows) -> Lesson:
    """Return a batch of pairs; the answers of two questions with the same passage answer both.

    Args:
        pairs: All of them.
        rows: Rows of the pairs in the batch.
        near: A near miss of each of these, or ``NOTHING``.
    """
    passages, first = np.unique(pairs.passage[rows], return_index=True)
    groups = pairs.group[rows[first]]
    near = np.unique(near)
    near = near[(near != NOTHING) & ~np.isin(near, passages)]
    candidates = np.concatenate([passages, near])
    answers = pairs.passage[rows][:, None] == candidates
    of_group = np.concatenate([groups, np.full(len(near), NOTHING)])
    unsure = pairs.group[rows][:, None] == of_group
    unsure |= pairs.query[rows][:, None] == candidates  # a question that is a passage elsewhere
    unsure &= ~answers
    texts, place = np.unique(np.concatenate([pairs.query[rows], candidates]), return_inverse=True)
    return Lesson(texts, place[: len(rows)], place[len(rows) :], answers, unsure)
