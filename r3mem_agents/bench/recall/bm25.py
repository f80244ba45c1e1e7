"""BM25 with bm25s, as its documentation sets it up: English stop words, Snowball stems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bm25s
import Stemmer

from r3mem_agents.bench.recall.data import SaidTurn
from r3mem_agents.bench.recall.systems import Hit, System, folder_bytes, line


class BM25Index(System):
    """One index per user, held in memory; ``save`` puts it on disk with its texts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stemmer = Stemmer.Stemmer("english")
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
        """Turns with a word of the query."""
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

    def _tokenize(self, texts: list[str]) -> list[list[str]]:
        words: list[list[str]] = bm25s.tokenize(
            texts, stopwords="en", stemmer=self._stemmer, return_ids=False, show_progress=False
        )
        return words
