"""Reads conversations: JSON Lines in our format, and the files of public sets as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.dialogues import SUFFIXES, digest, find_files, open_lines
from benchmarks.recall.conversations import Conversation, Dataset, parse, settle
from benchmarks.recall.readers import beam, locomo, longmemeval, meetings
from r3mem_agents.errors import InvalidInputError

PARQUET = ".parquet"
ENDINGS = (*SUFFIXES, ".json", PARQUET)

READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, str], list[Conversation]]], ...] = (
    (locomo.fits, locomo.read),
    (longmemeval.fits, longmemeval.read),
    (beam.fits, beam.read),
    (meetings.fits, meetings.read),
)
"""Layouts of JSON: how each is known, and how it is read."""


def digests(paths: Sequence[Path]) -> dict[str, str]:
    """Names and SHA-256 of the files that are read."""
    found: dict[str, str] = {}
    for path in _find(paths):
        if path.is_dir():
            files = beam.files_of(path)
            found |= {file.relative_to(path.parent).as_posix(): digest(file) for file in files}
        else:
            found[path.name] = digest(path)
    return found


def read(paths: Sequence[Path], limit: int | None = None) -> Dataset:
    """Read the conversations of files and folders.

    Args:
        paths: Files, folders of them, and folders of BEAM's chats.
        limit: Keep the first so many conversations.

    Raises:
        InvalidInputError: A file or a line holds no conversation; the message says which.
        NotFoundError: There is no such file, or none in the folder.
    """
    conversations: list[Conversation] = []
    for path in _find(paths):
        source = path.parent.name if path.is_dir() else path.name.split(".")[0]
        conversations += [
            one if one.source else one.model_copy(update={"source": source or None})
            for one in _read(path, limit)
        ]
    return settle(conversations[:limit])


def _find(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        chats = beam.folders(path) if path.is_dir() else []
        yield from chats or find_files([path], ENDINGS)


def _read(path: Path, limit: int | None) -> list[Conversation]:
    if path.is_dir():
        return [beam.read_folder(path)]
    if path.name.endswith(SUFFIXES):
        return _read_lines(path)
    if path.suffix == PARQUET:
        return beam.read_parquet(path)
    return _read_json(path, limit)


def _read_lines(path: Path) -> list[Conversation]:
    with open_lines(path) as lines:
        return [
            parse(line, f"{path}, line {number}")
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]


def _read_json(path: Path, limit: int | None) -> list[Conversation]:
    try:
        raw = json.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidInputError(f"{path} is not JSON: {error}") from None
    for fits, read_raw in READERS:
        if fits(raw):
            return read_raw(raw[:limit] if isinstance(raw, list) else raw, str(path))
    if beam.is_chat(raw):
        raise InvalidInputError(f"{path} has no questions: give BEAM's folder that it is in")
    raise InvalidInputError(
        f"{path} is not a file of LoCoMo, LongMemEval or BEAM, nor the demonstration's; other "
        "conversations go into a *.jsonl file, one a line (docs/recall.md)"
    )
