"""Reading of training data: from JSONL files to texts and token arrays.

Records have the format ``{"type": "dialog" | "text" | "pair" | "memory", ...}`` (docs/training.md).
Texts are split into segments as a memory would split them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError, MissingExtraError
from r3mem_agents.model.tokenizer import Tokenizer

Ids = NDArray[Any]
Counts = NDArray[np.int64]

ENGLISH = "en"
"""Language of a record that does not name one."""

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Ragged:
    """Sequences of ids of different lengths, concatenated.

    Attributes:
        ids: All of them, flat.
        counts: Lengths of the sequences, ``(sequences,)``.
    """

    ids: Ids
    counts: Counts

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def starts(self) -> Counts:
        """Where each sequence starts."""
        return np.cumsum(self.counts) - self.counts

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int] | Ids], dtype: Any) -> Ragged:
        """Concatenate sequences."""
        flat = [np.asarray(one, dtype) for one in sequences]
        return cls(
            np.concatenate([np.zeros(0, dtype), *flat]),
            np.array([len(one) for one in flat], np.int64),
        )


@dataclass(frozen=True, slots=True)
class Corpus:
    """The corpus of one training of an expander.

    Attributes:
        segments: Tokens of the segments of all texts.
        continued: Whether each segment continues another of the same text.
        language: Index of each segment's language in ``languages``.
        languages: Names of languages; the first is ``ENGLISH``.
    """

    segments: Ragged
    continued: NDArray[np.bool_]
    language: NDArray[np.uint8]
    languages: list[str]

    def token_counts(self, vocabulary: int) -> Counts:
        """Number of occurrences of each token."""
        return np.bincount(self.segments.ids, minlength=vocabulary).astype(np.int64)

    def save(self, path: Path) -> None:
        """Write the arrays to one ``.npz`` file."""
        np.savez(
            path,
            tokens=self.segments.ids,
            counts=self.segments.counts,
            continued=self.continued,
            language=self.language,
            languages=np.array(self.languages),
        )

    @classmethod
    def load(cls, path: Path) -> Corpus:
        """Read what ``save`` wrote."""
        with np.load(path) as arrays:
            return cls(
                Ragged(arrays["tokens"], arrays["counts"]),
                arrays["continued"],
                arrays["language"],
                arrays["languages"].tolist(),
            )


def data_files(folder: Path) -> list[Path]:
    """Return the JSONL files of a folder and its subfolders, sorted by name.

    Raises:
        InvalidInputError: There are none.
    """
    files = sorted([*folder.rglob("*.jsonl"), *folder.rglob("*.jsonl.zst")])
    if not files:
        raise InvalidInputError(f"no *.jsonl or *.jsonl.zst file in {folder}")
    return files


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of one JSONL or JSONL.zst file.

    Raises:
        InvalidInputError: If a line is not a record, or not UTF-8; the message names its number.
    """
    for number, line in enumerate(_lines(path), 1):
        try:
            record = json.loads(line)
            kind = record["type"]
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidInputError(f"{path}:{number}: not a record: {error}") from error
        if kind not in _WRONG:
            raise InvalidInputError(f"{path}:{number}: unknown type {kind!r}")
        if wrong := _WRONG[kind](record):
            raise InvalidInputError(f"{path}:{number}: not a {kind}: {wrong}")
        yield record


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, unpacked.

    Raises:
        InvalidInputError: If it cannot be unpacked.
    """
    if path.suffix != ".zst":
        with path.open("rb") as lines:
            yield from lines
        return
    try:
        import zstandard  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("zstandard", "train") from error
    with zstandard.open(path, "rb") as stream:
        try:
            yield from BufferedReader(stream)
        except zstandard.ZstdError as error:
            raise InvalidInputError(f"{path}: not unpacked: {error}") from error


def _wrong_in_dialog(record: dict[str, Any]) -> str | None:
    """What is wrong with the fields of a dialogue, if anything."""
    turns = record.get("turns")
    if not isinstance(turns, list):
        return "turns has to be a list of turns"
    if not all(isinstance(turn, dict) and _is_unicode(turn.get("text")) for turn in turns):
        return "each of turns has to have a text"
    return None


def _wrong_in_text(record: dict[str, Any]) -> str | None:
    return None if _is_unicode(record.get("text")) else "text has to be one"


def _wrong_in_pair(record: dict[str, Any]) -> str | None:
    fits = _is_unicode(record.get("query")) and _is_unicode(record.get("passage"))
    return None if fits else "query and passage have to be texts"


def _wrong_in_memory(record: dict[str, Any]) -> str | None:
    """What is wrong with the fields of a memory, if anything."""
    turns = record.get("turns")
    if not isinstance(turns, list) or not turns:
        return "turns has to be a list of turns"
    if not all(isinstance(turn, dict) and _is_text(turn.get("text")) for turn in turns):
        return "each of turns has to have a text"
    places = range(len(turns))
    for question in record.get("questions", ()):
        if not isinstance(question, dict) or not _is_text(question.get("query")):
            return "each of questions has to have a query"
        gold = question.get("gold", [])
        if not isinstance(gold, list) or not all(_is_place(one, places) for one in gold):
            return f"gold {gold!r} has to be a list of places in turns"
    for name in ("updates", "alike"):
        for pair in record.get(name, ()):
            fits = isinstance(pair, list) and len(pair) == 2
            if not fits or not all(_is_place(one, places) for one in pair) or pair[0] >= pair[1]:
                return f"{pair!r} of {name} has to be the places of an older and a newer turn"
    return None


_WRONG = {
    "dialog": _wrong_in_dialog,
    "text": _wrong_in_text,
    "pair": _wrong_in_pair,
    "memory": _wrong_in_memory,
}
"""What is wrong with a record of each type."""


def _is_unicode(value: object) -> bool:
    """Whether it is a text without half an emoji, which no tokenizer takes."""
    try:
        return isinstance(value, str) and (value.isascii() or bool(value.encode()))
    except UnicodeEncodeError:
        return False


def _is_text(value: object) -> bool:
    return _is_unicode(value) and bool(str(value).strip())


def _is_place(value: object, places: range) -> bool:
    return isinstance(value, int) and value in places


def language_of(record: dict[str, Any]) -> str:
    """Return the language of a record; for a pair across languages that of its passage."""
    return str(record.get("lang", ENGLISH))


def texts_of(record: dict[str, Any]) -> list[str]:
    """Return the texts of a record as turns: a dialog's turns, a text's paragraphs or lines.

    Pairs and memories give none: they are for the other networks.
    """
    if record["type"] == "dialog":
        texts = [turn["text"] for turn in record["turns"]]
    elif record["type"] == "text":
        texts = record["text"].split("\n" if record.get("independent_lines") else "\n\n")
    else:
        texts = []
    return [text for text in texts if text.strip()]


def read_texts(path: Path, text_mb: float) -> Iterator[tuple[str, list[str]]]:
    """Yield languages and texts of the records of a file, up to about a number of megabytes."""
    taken = 0
    for record in records(path):
        if texts := texts_of(record):
            yield language_of(record), texts
            taken += sum(map(len, texts))
            if taken > text_mb * MB:
                return


def sample_texts(files: list[Path], text_mb: float) -> Iterator[str]:
    """Return texts from all files in equal shares, about a number of megabytes in total."""
    for path in files:
        for _, texts in read_texts(path, text_mb / len(files)):
            yield from texts


def hash_files(folder: Path, files: list[Path]) -> dict[str, str]:
    """SHA-256 of each file, by its path in the folder, for the training record."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def hash_folders(*folders: Path | None) -> dict[str, str]:
    """Return ``hash_files`` of all data files of those folders that are given."""
    given = [folder for folder in folders if folder is not None]
    return {
        path: digest
        for folder in given
        for path, digest in hash_files(folder, data_files(folder)).items()
    }


class CorpusBuilder:
    """Splits texts into the segments of a ``Corpus``."""

    def __init__(self, tokenizer: Tokenizer, segment_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._segment_tokens = segment_tokens
        self._segments: list[Ids] = []
        self._continued: list[bool] = []
        self._language: list[int] = []
        self._languages = {ENGLISH: 0}

    def add(self, language: str, texts: Sequence[str]) -> None:
        """Add texts of a language."""
        place = self._languages.setdefault(language, len(self._languages))
        for ids in self._tokenizer.encode_batch(texts):
            for start in range(0, len(ids), self._segment_tokens):
                part = ids[start : start + self._segment_tokens]
                self._segments.append(np.array(part, np.uint16))
                self._continued.append(start > 0)
                self._language.append(place)

    def build(self) -> Corpus:
        """Return the arrays of everything added.

        Raises:
            InvalidInputError: If nothing was added.
        """
        if not self._segments:
            raise InvalidInputError(
                "the data holds no dialog and no text: there is nothing to read"
            )
        return Corpus(
            Ragged.of(self._segments, np.uint16),
            np.array(self._continued, bool),
            np.array(self._language, np.uint8),
            list(self._languages),
        )
