"""From JSONL files to token arrays: what training reads.

Records are those of the open format ``{"type": "dialog" | "text" | "pair", ...}``
(docs/training.md). Texts become segments as a memory would cut them; pairs also keep their query
and the first segment of their passage, for the gist.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import InvalidInputError, MissingExtraError
from r3mem_agents.model.tokenizer import Tokenizer

Tokens = NDArray[np.uint16]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ragged:
    """Token sequences of different lengths, end to end.

    Attributes:
        tokens: All tokens, flat.
        starts: Where each sequence starts, and the total length at the end.
        continued: Whether a sequence goes on where another of the same text ended.
    """

    tokens: Tokens
    starts: Counts
    continued: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.continued)

    @property
    def counts(self) -> Counts:
        """Length of each sequence."""
        return np.diff(self.starts)

    def padded(self, rows: Counts, width: int) -> NDArray[np.int64]:
        """The first ``width`` tokens of these sequences, zero-padded: ``(rows, width)``."""
        place = self.starts[rows][:, None] + np.arange(width)
        inside = np.arange(width) < self.counts[rows][:, None]
        tokens = self.tokens[np.minimum(place, len(self.tokens) - 1)]
        return np.where(inside, tokens.astype(np.int64), 0)


@dataclass(frozen=True, slots=True)
class Corpus:
    """What one training run reads.

    Attributes:
        segments: Segments of all texts.
        queries: Queries of the pairs.
        passages: First segments of the passages, row by row with ``queries``.
        groups: Number of the document that a pair comes from, to find negatives in it.
        counts: How often each token occurs in ``segments``.
    """

    segments: Ragged
    queries: Ragged
    passages: Ragged
    groups: Counts
    counts: Counts


def data_files(folder: Path) -> list[Path]:
    """JSONL files of a folder, sorted by name.

    Raises:
        InvalidInputError: There are none.
    """
    files = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.zst")])
    if not files:
        raise InvalidInputError(f"no *.jsonl or *.jsonl.zst file in {folder}")
    return files


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Records of one JSONL or JSONL.zst file.

    Raises:
        InvalidInputError: A line is not a JSON object; the message names its number.
    """
    with _opener(path)(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                kind = record["type"]
            except (ValueError, TypeError, KeyError) as error:
                raise InvalidInputError(f"{path}:{number}: not a record: {error}") from error
            if kind not in {"dialog", "text", "pair"}:
                raise InvalidInputError(f"{path}:{number}: unknown type {kind!r}")
            yield record


def _opener(path: Path) -> Callable[..., IO[str]]:
    if path.suffix != ".zst":
        return open
    try:
        import zstandard  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise MissingExtraError("zstandard", "train") from error
    opener: Callable[..., IO[str]] = zstandard.open
    return opener


def texts_of(record: dict[str, Any]) -> list[str]:
    """Texts of a record as turns: of a dialog its turns, of a text its paragraphs."""
    if record["type"] == "dialog":
        texts = [turn["text"] for turn in record["turns"]]
    elif record["type"] == "text":
        texts = record["text"].split("\n\n")
    else:
        texts = [record["passage"]]
    return [text for text in texts if text]


def sample_texts(files: list[Path], text_bytes: int) -> Iterator[str]:
    """Texts from all files in equal shares, about ``text_bytes`` in total."""
    share = text_bytes // len(files)
    for path in files:
        taken = 0
        for record in records(path):
            for text in texts_of(record):
                taken += len(text)
                yield text
            if taken > share:
                break


def hash_files(files: list[Path]) -> dict[str, str]:
    """SHA-256 of each file, by name, for the training record."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class CorpusBuilder:
    """Tokenizes texts and pairs into the arrays of a ``Corpus``."""

    def __init__(self, tokenizer: Tokenizer, segment_tokens: int, query_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._segment_tokens = segment_tokens
        self._query_tokens = query_tokens
        self._segments: list[tuple[Tokens, bool]] = []
        self._queries: list[Tokens] = []
        self._passages: list[Tokens] = []
        self._groups: list[int] = []
        self._documents: dict[str, int] = {}

    def add_file(self, path: Path, text_bytes: int) -> int:
        """Add a file, up to about ``text_bytes`` of its text; returns the tokens added."""
        taken = added = 0
        for record in records(path):
            texts = texts_of(record)
            encoded = [np.array(ids, np.uint16) for ids in self._tokenizer.encode_batch(texts)]
            for ids in encoded:
                added += len(ids)
                for start in range(0, len(ids), self._segment_tokens):
                    piece = ids[start : start + self._segment_tokens]
                    self._segments.append((piece, start > 0))
            if record["type"] == "pair" and encoded and record["query"]:
                self._add_pair(record, encoded[0], path.name)
            taken += sum(map(len, texts))
            if taken > text_bytes:
                break
        return added

    def _add_pair(self, record: dict[str, Any], passage: Tokens, source: str) -> None:
        query = self._tokenizer.encode(record["query"])[: self._query_tokens]
        document = f"{source}:{record.get('group', len(self._groups))}"
        self._queries.append(np.array(query, np.uint16))
        self._passages.append(passage[: self._segment_tokens])
        self._groups.append(self._documents.setdefault(document, len(self._documents)))

    def build(self) -> Corpus:
        """The arrays of everything added."""
        segments = ragged([piece for piece, _ in self._segments])
        continued = np.array([flag for _, flag in self._segments], bool)
        counts = np.bincount(segments.tokens, minlength=self._tokenizer.vocabulary)
        return Corpus(
            segments=Ragged(segments.tokens, segments.starts, continued),
            queries=ragged(self._queries),
            passages=ragged(self._passages),
            groups=np.array(self._groups, np.int64),
            counts=counts,
        )


def ragged(pieces: list[Tokens]) -> Ragged:
    """Token sequences end to end."""
    starts = np.concatenate(([0], np.cumsum([len(piece) for piece in pieces]))).astype(np.int64)
    tokens = np.concatenate(pieces) if pieces else np.zeros(0, np.uint16)
    return Ragged(tokens, starts, np.zeros(len(pieces), bool))


def save_corpus(corpus: Corpus, path: Path) -> None:
    """Write the arrays to one ``.npz`` file."""
    arrays: dict[str, NDArray[Any]] = {"groups": corpus.groups, "counts": corpus.counts}
    for name in ("segments", "queries", "passages"):
        ragged: Ragged = getattr(corpus, name)
        arrays |= {
            f"{name}_tokens": ragged.tokens,
            f"{name}_starts": ragged.starts,
            f"{name}_continued": ragged.continued,
        }
    np.savez(path, **arrays)  # type: ignore[arg-type]


def load_corpus(path: Path) -> Corpus:
    """Read what ``save_corpus`` wrote."""
    with np.load(path) as arrays:
        parts = {
            name: Ragged(
                arrays[f"{name}_tokens"], arrays[f"{name}_starts"], arrays[f"{name}_continued"]
            )
            for name in ("segments", "queries", "passages")
        }
        return Corpus(groups=arrays["groups"], counts=arrays["counts"], **parts)
