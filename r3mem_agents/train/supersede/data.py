"""Pairs of turns: those of memories whose updates are known, and those of other people's talk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.train.corpus import MB, data_files, records

MAX_CHARACTERS = 500
"""Of a turn; longer ones say more than one thing."""

KINDS = UPDATE, ALIKE, APART, TALK = range(4)
"""Of pairs: the newer supersedes the older; both hold though they are alike; nothing is known, of a
memory; nothing is known, of other talk."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Talks:
    """The data of a superseder.

    Attributes:
        texts: Turns; those of one talk follow each other, oldest first.
        talks: First row and end of each.
        speakers: Speaker of each turn, any number that tells two of one talk apart.
        memories: So many of ``talks``, the first ones, are memories whose updates are known.
        updates: Rows of older and newer turns of which the newer supersedes the older.
        alike: Rows of turns that are alike and both hold.
    """

    texts: list[str]
    talks: list[tuple[int, int]]
    speakers: list[int]
    memories: int
    updates: list[tuple[int, int]]
    alike: list[tuple[int, int]]


def read(data: Path, beside: Path | None, source_mb: float) -> Talks:
    """Read the memories of a folder, and the dialogs of another one.

    Args:
        data: Folder of memories.
        beside: Folder of dialogs.
        source_mb: Most megabytes of text read from one of its files.

    Raises:
        InvalidInputError: There is no memory with an update, or with turns that are alike.
    """
    texts: list[str] = []
    talks: list[tuple[int, int]] = []
    speakers: list[int] = []
    updates: list[tuple[int, int]] = []
    alike: list[tuple[int, int]] = []

    def add(said: Sequence[tuple[str, str]]) -> int:
        first = len(texts)
        names = {name: place for place, name in enumerate(dict.fromkeys(name for name, _ in said))}
        texts.extend(text[:MAX_CHARACTERS] for _, text in said)
        speakers.extend(names[name] for name, _ in said)
        talks.append((first, len(texts)))
        return first

    for path in data_files(data):
        for record in records(path):
            if record["type"] != "memory":
                continue
            first = add([(turn.get("role", "user"), turn["text"]) for turn in record["turns"]])
            for found, name in ((updates, "updates"), (alike, "alike")):
                found += [(first + one, first + other) for one, other in record.get(name, ())]
    memories = len(talks)
    if not updates or not alike:
        raise InvalidInputError(f"{data} holds no memory with updates and turns that are alike")
    for path in data_files(beside) if beside is not None else ():
        taken = 0
        for record in records(path):
            if taken > source_mb * MB:
                break
            if record["type"] == "dialog":
                said = [(turn.get("speaker", ""), turn["text"]) for turn in record["turns"]]
                add([one for one in said if one[1].strip()])
                taken += sum(len(text) for _, text in said)
    return Talks(texts, talks, speakers, memories, updates, alike)


def confusable(talks: Talks, gists: NDArray[np.float32], each: int) -> tuple[Rows, Rows]:
    """Pairs of a speaker's turns that nothing is known of, the most alike of each newer turn.

    Args:
        talks: Their turns.
        gists: Before their bits are taken, ``(turns, gist_bits)``.
        each: Pairs of a turn at most.

    Returns:
        Rows of older and newer turns, ``(pairs, 2)``: of memories, and of other talk.
    """
    bits = np.sign(gists)
    known = {tuple(sorted(pair)) for pair in [*talks.updates, *talks.alike]}
    found: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    speakers = np.array(talks.speakers)
    for number, (first, end) in enumerate(talks.talks):
        similarity = bits[first:end] @ bits[first:end].T
        similarity[speakers[first:end, None] != speakers[None, first:end]] = -np.inf
        for newer in range(1, end - first):
            order = np.argsort(-similarity[newer, :newer])[:each]
            found[number >= talks.memories].extend(
                (first + older, first + newer)
                for older in order.tolist()
                if similarity[newer, older] > -np.inf
                and (first + older, first + newer) not in known
            )
    mine, others = (np.array(pairs, np.int64).reshape(-1, 2) for pairs in found)
    return mine, others


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs of about one length.

    Attributes:
        pairs: Pieces of the older and of the newer turn.
        kinds: Places in ``KINDS``, ``(pairs,)``.
    """

    pairs: list[tuple[Rows, Rows]]
    kinds: Rows
