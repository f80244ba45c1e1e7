"""Reads dialogues from JSON Lines, plain or zstandard."""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.errors import MissingPackageError
from r3mem_agents.errors import InvalidInputError, NotFoundError

SUFFIXES = (".jsonl", ".jsonl.zst")


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a dialogue, and the data set that it comes from."""

    source: str
    text: str


def find_files(paths: Sequence[Path], suffixes: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """Return the files among paths, and those in folders with the known endings, sorted by name.

    Raises:
        NotFoundError: If a path does not exist, or nothing is found.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(item for item in path.iterdir() if item.name.endswith(suffixes))
        elif path.is_file():
            found.append(path)
        else:
            raise NotFoundError(f"no data at {path}")
    if not found:
        names = ", ".join(str(path) for path in paths) or "nothing"
        endings = " or ".join(f"*{suffix}" for suffix in suffixes)
        raise NotFoundError(f"no file {endings} in {names}")
    return found


def dialogue_files(files: Sequence[Path]) -> list[Path]:
    """Leave out files whose first record is no dialogue: prose, question pairs."""
    kept = []
    for path in files:
        with open_lines(path) as lines:
            first = next(iter(lines), b"")
        if first.lstrip().startswith(b"{") and json.loads(first).get("type") == "dialog":
            kept.append(path)
    return kept


def source_name(path: Path) -> str:
    """The name of a data set: its file's, without endings."""
    return path.name.removesuffix(".zst").removesuffix(".jsonl")


def read_turns(path: Path, limit: int | None = None) -> list[Said]:
    """Return the turns of a file's dialogues, in order; other records and empty turns are skipped.

    Args:
        path: A file of records ``{"type": "dialog", "turns": [{"speaker", "text"}]}``.
        limit: Maximum number of turns.
    """
    turns: list[Said] = []
    for text in iterate_texts(path):
        if limit is not None and len(turns) >= limit:
            break
        turns.append(Said(source_name(path), text))
    return turns


def iterate_texts(path: Path) -> Iterator[str]:
    """The non-empty texts of a file's dialogue turns.

    Raises:
        InvalidInputError: If a line is not such a record.
    """
    with open_lines(path) as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                if record.get("type", "dialog") != "dialog":
                    continue
                texts = [turn["text"] for turn in record["turns"]]
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InvalidInputError(
                    f"{path}, line {number} is not a dialogue: {error!r}"
                ) from None
            yield from (text for text in texts if text)


@contextmanager
def open_lines(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading lines of bytes, through zstandard if its name says so."""
    if path.suffix != ".zst":
        with path.open("rb") as plain:
            yield plain
        return
    try:
        import zstandard
    except ImportError as error:
        raise MissingPackageError("zstandard", "bench") from error
    with path.open("rb") as packed:
        reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        with io.BufferedReader(reader) as lines:
            yield lines


def sample_bytes(files: Sequence[Path], budget: int, seed: int) -> list[bytes]:
    """Turns from dialogue files up to ``budget`` bytes, an equal share from each file.

    A file's share is drawn from its first ``8 * share`` bytes of text, so that large files need
    not be read whole.
    """
    generator = random.Random(seed)
    share = max(1, budget // max(len(files), 1))
    samples: list[bytes] = []
    for path in files:
        pool = _head(iterate_texts(path), 8 * share)
        generator.shuffle(pool)
        taken = 0
        for text in pool:
            if taken >= share:
                break
            samples.append(text)
            taken += len(text)
    return samples


def _head(texts: Iterable[str], budget: int) -> list[bytes]:
    pool: list[bytes] = []
    size = 0
    for text in texts:
        if size >= budget:
            break
        pool.append(text.encode("utf-8"))
        size += len(pool[-1])
    return pool


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
