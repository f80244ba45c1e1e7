"""What is read and asked: token windows of texts, questions about passages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.dialogues import find_files, source_name
from r3mem_agents.cli.demo import meetings
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.train.corpus import records
from r3mem_agents.train.latent.texts import document, is_held_out, pair

MEETINGS = "meetings"
ENOUGH = 400_000
"""Characters of a source that windows are taken from."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a passage.

    Attributes:
        source: Its data set.
        passage: What answers it.
        query: The question.
        answer: The answer: the data's own, or the sentence of the passage with most of its words.
        given: Whether it is the data's own.
    """

    source: str
    passage: str
    query: str
    answer: str
    given: bool


def streams(wikitext: Path | None, dialogues: Path | None) -> dict[str, str]:
    """The texts of each source, one after the other.

    Args:
        wikitext: A text file.
        dialogues: A folder of dialogues; each follows the one before, as sessions do.
    """
    found = {}
    if wikitext is not None:
        found["wikitext"] = wikitext.read_text(encoding="utf-8")[:ENOUGH]
    if dialogues is not None:
        files = find_files([dialogues])
        share = ENOUGH // len(files)
        found["dialogues"] = "\n".join(_head(map(document, records(p)), share) for p in files)
    turns = meetings.load().turns
    found[MEETINGS] = _head((f"{turn.name or turn.role}: {turn.text}" for turn in turns), ENOUGH)
    return found


def _head(texts: Iterable[str], characters: int) -> str:
    taken: list[str] = []
    for text in texts:
        if characters <= 0:
            break
        taken.append(text)
        characters -= len(text)
    return "\n".join(taken)


def windows(text: str, tokenizer: Any, count: int, length: int) -> Tensor:
    """Stretches of a text at equal distances, ``(at most count, length)``.

    Raises:
        InvalidInputError: It is shorter than one.
    """
    ids = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    if len(ids) < length:
        raise InvalidInputError(f"a source has {len(ids)} tokens, a window {length}; give more")
    count = min(count, len(ids) // length)
    apart = len(ids) // count
    return torch.tensor([ids[place * apart :][:length] for place in range(count)])


def pair_files(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """The files of a folder with these names, without endings."""
    return [path for path in find_files([folder]) if source_name(path) in names]


def questions(folder: Path, names: tuple[str, ...], count: int) -> list[Asked]:
    """Held-out questions, the first of each data set with different passages.

    Args:
        folder: Of JSONL(.zst) files of pairs.
        names: The files that are asked about, without endings.
        count: Questions of a file.

    Raises:
        InvalidInputError: There are none.
    """
    found: list[Asked] = []
    for path in pair_files(folder, names):
        passages: set[str] = set()
        for record in records(path):
            held = pair(record)
            if len(passages) == count:
                break
            if held is None or held[0] in passages or not is_held_out(held[0]):
                continue
            passages.add(held[0])
            passage, query, answer = held
            found.append(Asked(source_name(path), passage, query, answer, "answer" in record))
    if not found:
        raise InvalidInputError(f"{folder} holds no held-out pair")
    return found
