"""Pairs of turns, from memories with labelled updates and from other conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.train.corpus import MB, data_files, records

MAX_CHARACTERS = 500
"""Maximum length of a turn; longer ones say more than one thing."""

KINDS = UPDATE, ALIKE, APART, TALK = range(4)
"""Kinds of pairs: the newer supersedes the older; similar, but both hold; unlabelled, from a
memory; unlabelled, from other conversations."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Talks:
    """The training data of a superseder.

    Attributes:
        texts: Turns, grouped by conversation, oldest first.
        talks: First row and end of each conversation.
        speakers: Speaker of each turn, as a number that is unique within a conversation.
        memories: Number of the first ``talks`` that are memories with labelled updates.
        updates: Rows of older and newer turns where the newer supersedes the older.
        alike: Rows of similar turns that both hold.
    """

    texts: list[str]
    talks: list[tuple[int, int]]
    speakers: list[int]
    memories: int
    updates: list[tuple[int, int]]
    alike: list[tuple[int, int]]


def read(data: Path, beside: Path | None, source_mb: float) -> Talks:
    """Read the memories of one folder and the dialogs of another.

    Args:
        data: Folder of memories.
        beside: Folder of dialogs.
        source_mb: Maximum megabytes of text read from one of its files.

    Raises:
        InvalidInputError: If there is no memory with an update, or with turns that are alike.
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
    """Return unlabelled pairs of a speaker's turns, the most similar ones for each newer turn.

    Args:
        talks: The conversations.
        gists: Gists of the turns before binarization, ``(turns, gist_bits)``.
        each: Maximum number of pairs for a turn.

    Returns:
        Rows of older and newer turns, ``(pairs, 2)``: from memories, and from other conversations.
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
    """Pairs of about equal length.

    Attributes:
        pairs: Pieces of the older and of the newer turn.
        kinds: Indices into ``KINDS``, ``(pairs,)``.
    """

    pairs: list[tuple[Rows, Rows]]
    kinds: Rows
