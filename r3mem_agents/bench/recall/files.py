"""Reads conversations: JSON Lines in our format, LoCoMo's file, and the demonstration's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from r3mem_agents.bench.data import SUFFIXES, digest, find_files, open_lines
from r3mem_agents.bench.recall import locomo, meetings
from r3mem_agents.bench.recall.data import Conversation, Dataset, parse, settle
from r3mem_agents.errors import InvalidInputError

ENDINGS = (*SUFFIXES, ".json")


def digests(paths: Sequence[Path]) -> dict[str, str]:
    """Names and SHA-256 of the files that are read."""
    return {path.name: digest(path) for path in find_files(paths, ENDINGS)}


def read(paths: Sequence[Path], limit: int | None = None) -> Dataset:
    """Read the conversations of files and folders.

    Args:
        paths: ``*.jsonl``, ``*.jsonl.zst``, ``*.json``, or folders of them.
        limit: Keep the first so many conversations.

    Raises:
        InvalidInputError: A file or a line holds no conversation; the message says which.
        NotFoundError: There is no such file, or none in the folder.
    """
    conversations: list[Conversation] = []
    for path in find_files(paths, ENDINGS):
        conversations += _read_json(path) if path.suffix == ".json" else _read_lines(path)
    return settle(conversations[:limit])


def _read_lines(path: Path) -> list[Conversation]:
    with open_lines(path) as lines:
        return [
            parse(line, f"{path}, line {number}")
            for number, line in enumerate(lines, 1)
            if line.strip()
        ]


def _read_json(path: Path) -> list[Conversation]:
    try:
        raw = json.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidInputError(f"{path} is not JSON: {error}") from None
    if locomo.fits(raw):
        return locomo.read(raw, str(path))
    if meetings.fits(raw):
        return meetings.read(raw, str(path))
    raise InvalidInputError(
        f"{path} is neither LoCoMo's file nor the demonstration's; other conversations go into "
        "a *.jsonl file, one a line (docs/recall.md)"
    )
