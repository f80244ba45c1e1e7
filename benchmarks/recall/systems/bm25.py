"""BM25 with bm25s: of English words, as its documentation sets it up, or of character n-grams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import bm25s
import regex
import Stemmer

from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.systems.system import Hit, System, folder_bytes, line

Tokenize = Callable[[list[str]], list[list[str]]]
"""The terms of texts."""

WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
GRAMS = (2, 3, 4)


def english_words() -> Tokenize:
    """Words without English stop words, as Snowball stems."""
    stemmer = Stemmer.Stemmer("english")

    def tokenize(texts: list[str]) -> list[list[str]]:
        words: list[list[str]] = bm25s.tokenize(
            texts, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
        )
        return words

    return tokenize


def character_ngrams(texts: list[str]) -> list[list[str]]:
    """Two to four neighbouring characters of a word with the spaces around it."""
    words = [[f" {word} " for word in WORD.findall(text.casefold())] for text in texts]
    return [
        [
            word[start : start + length]
            for word in one
            for length in GRAMS
            for start in range(len(word) - length + 1)
        ]
        for one in words
    ]


class BM25Index(System):
    """One index per user, held in memory; ``save`` puts it on disk with its texts."""

    def __init__(self, folder: Path, tokenize: Tokenize) -> None:
        self._folder = folder
        self._tokenize = tokenize
        self._indexes: dict[str, bm25s.BM25] = {}
        self._turns: dict[str, list[str]] = {}

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Index all turns of a user and save the index."""
        texts = [line(turn) for turn in turns]
        self._turns[user] = [turn.id for turn in turns]
        words = self._tokenize(texts)
        if not any(words):
            return  # nothing to index: bm25s refuses an empty vocabulary
        index = self._indexes[user] = bm25s.BM25()
        index.index(words, show_progress=False)
        index.save(self._folder / user, corpus=texts, show_progress=False)

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """Turns with a term of the query."""
        index = self._indexes.get(user)
        words = self._tokenize([query])[0]
        if index is None or not index.get_tokens_ids(words):
            return []
        ids = self._turns[user]
        places, scores = index.retrieve([words], k=min(k, len(ids)), show_progress=False)
        found = zip(places[0].tolist(), scores[0].tolist(), strict=True)
        return [(ids[place], score) for place, score in found if score > 0]

    def disk_bytes(self) -> int:
        """Size of the saved indexes and texts."""
        return folder_bytes(self._folder)

    def close(self) -> None:
        """Nothing is held open."""
