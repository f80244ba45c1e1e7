"""The words that a gist knows by themselves, beside the tokens that they are cut into."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.errors import CheckpointError

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

NONE = 0
"""The id that stands for no word: padding."""

Ids = NDArray[np.int64]


class Words:
    """A list of words; the id of one is its place in it, counted from 1.

    Upper and lower case, and the compatible forms of a character, count as one.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(words)
        self._ids = {word: place for place, word in enumerate(self._words, 1)}

    @classmethod
    def train(cls, texts: Iterable[str], size: int) -> Words:
        """The most frequent words of texts, at most ``size`` of them."""
        counts = Counter(word for text in texts for word in words_of(text))
        return cls(word for word, _ in counts.most_common(size))

    @classmethod
    def load(cls, path: Path) -> Words:
        """Read a file with a word a line.

        Raises:
            CheckpointError: The file is missing or no text.
        """
        try:
            return cls(path.read_text(encoding="utf-8").split("\n")[:-1])
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"no usable list of words at {path}: {error}") from error

    def save(self, path: Path) -> None:
        """Write a file with a word a line."""
        path.write_text("".join(word + "\n" for word in self._words), encoding="utf-8")

    @property
    def fingerprint(self) -> str:
        """Hash of the list; 16 hex digits."""
        return hashlib.blake2b("\n".join(self._words).encode(), digest_size=8).hexdigest()

    def __len__(self) -> int:
        return len(self._words)

    def ids(self, text: str) -> list[int]:
        """Ids of a text's words in order; what is not in the list is left out."""
        return [found for word in words_of(text) if (found := self._ids.get(word))]


def words_of(text: str) -> list[str]:
    """Words of a text in order, repetitions kept."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    return WORD.findall(plain)


def padded(rows: Sequence[Sequence[int]], width: int | None = None) -> Ids:
    """Ids as ``(rows, width)``, filled up with ``NONE``; longer rows are cut.

    The width is that of the longest row, if it is not given.
    """
    if width is None:
        width = max(map(len, rows), default=0)
    out = np.full((len(rows), width), NONE, np.int64)
    for place, row in enumerate(rows):
        out[place, : len(row)] = row[:width]
    return out
