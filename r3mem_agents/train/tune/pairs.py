"""Questions with what answers them: texts, what is known of each, and batches drawn of them."""

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
"""Characters of a side of a pair that are read; turns are short."""

NOTHING = -1
"""In place of a near miss where a pair has none."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Questions, their answers, and texts that are near to an answer but are none.

    Attributes:
        texts: All texts, each once.
        taught: Whether the teacher is asked about a text: English ones of the data that is tuned
            for, ``(texts,)``.
        query: Place in ``texts`` of each question, ``(pairs,)``.
        passage: Place of what answers it.
        near: Places of near misses of each pair, any number; a batch draws one.
        group: Pairs of one group answer each other's questions, it may be.
        files: Rows of pairs by file; those of the data that is tuned for come first.
        own: So many of ``files`` are that data's.
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
        """A near miss of each of these pairs, or ``NOTHING`` where it has none."""
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
        data: Folder of those that are tuned for.
        beside: Folder of others.
        pair_mb: Most megabytes read from one of its files.

    Raises:
        InvalidInputError: There are none in a folder.
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
    """What is known of the texts of pairs before training.

    Attributes:
        pieces: Pieces of each text.
        targets: The teacher's vectors, of length 1; zeros for texts that it does not read.
        gists: The encoder's at the start, before their bits are taken, of length 1.
    """

    pieces: Ragged
    targets: NDArray[np.float16]
    gists: NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch: its texts, and which of them are asked and which may answer.

    Attributes:
        texts: Places in ``Pairs.texts``, each once; ``(texts,)``.
        asked: Places in ``texts`` of the questions, ``(questions,)``.
        candidates: Places of what may answer: passages, then near misses; ``(candidates,)``.
        answers: Whether a candidate answers a question, ``(questions, candidates)``.
        unsure: Whether it might, though it is another pair's.
    """

    texts: Rows
    asked: Rows
    candidates: Rows
    answers: NDArray[np.bool_]
    unsure: NDArray[np.bool_]


class Lessons:
    """Draws batches of pairs: half of the data that is tuned for, half of the others.

    Args:
        pairs: All of them.
        recipe: Choices of the run.
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
        """The batch of a step, the same whenever it is asked for."""
        random = np.random.default_rng((self._recipe.seed, step))
        own = self._draw(self._rows[: self._pairs.own], self._recipe.own, random)
        others = self._draw(self._rows[self._pairs.own :], self._recipe.others, random)
        rows = np.concatenate([own, others])
        return lesson(self._pairs, rows, self._pairs.near_of(rows, random))

    def held_out(self) -> Lesson:
        """Own pairs that training never sees, as one batch."""
        rows = np.concatenate(self._held_out)
        random = np.random.default_rng(self._recipe.seed)
        return lesson(self._pairs, rows, self._pairs.near_of(rows, random))

    @staticmethod
    def _draw(files: Sequence[Rows], size: int, random: np.random.Generator) -> Rows:
        # Of each file in proportion to the root of its pairs: large ones say much the same.
        if not files:
            return np.zeros(0, np.int64)
        share = np.sqrt([len(rows) for rows in files])
        chosen = random.choice(len(files), size, p=share / share.sum())
        return np.array([random.choice(files[one]) for one in chosen])


def lesson(pairs: Pairs, rows: Rows, near: Rows) -> Lesson:
    """A batch of pairs; what answers one of two questions for the same passage answers both.

    Args:
        pairs: All of them.
        rows: Those of the batch.
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
