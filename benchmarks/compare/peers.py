"""The peers that lookups are timed beside: each finds five texts, which it holds as they are.

    python -m benchmarks.compare.peers

answers requests as ``build`` does.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

import numpy as np

from benchmarks.compare.build import RECALLED, milliseconds, serve

Search = Callable[[str], list[str]]
"""Finds texts for a question, the best first."""

PEERS: dict[str, Search] = {}


def minilm(texts: list[str]) -> Search:
    """all-MiniLM-L6-v2, and one matrix of vectors in memory."""
    from benchmarks.recall.systems.encoder import Encoder, bundled

    encoder = Encoder(bundled())
    vectors = np.array(encoder.embed_documents(texts), np.float32)

    def search(question: str) -> list[str]:
        similar = vectors @ np.array(encoder.embed_query(question), np.float32)
        return [texts[place] for place in np.argsort(-similar)[:RECALLED]]

    return search


def bm25(texts: list[str]) -> Search:
    """bm25s in memory, with English stems."""
    import bm25s

    from benchmarks.recall.systems.bm25 import english_words

    words = english_words()
    index = bm25s.BM25(corpus=texts)
    index.index(words(texts), show_progress=False)

    def search(question: str) -> list[str]:
        found, _ = index.retrieve(words([question]), k=RECALLED, show_progress=False)
        return [str(text) for text in found[0]]

    return search


def fts5(texts: list[str], path: str) -> Search:
    """SQLite's full-text index with English stems, over plain text in a file."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIRTUAL TABLE turns USING fts5(text, tokenize = 'porter')")
    with connection:
        connection.executemany("INSERT INTO turns VALUES (?)", ((text,) for text in texts))
    query = "SELECT text FROM turns WHERE turns MATCH ? ORDER BY rank LIMIT ?"

    def search(question: str) -> list[str]:
        asked = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
        return [text for (text,) in connection.execute(query, (asked, RECALLED))]

    return search


def hold(texts: list[str], path: str) -> list[str]:
    """Fill all peers with texts; return their names.

    Args:
        texts: The turns.
        path: Of SQLite's file, which is made.
    """
    PEERS.update(minilm=minilm(texts), bm25=bm25(texts), fts5=fts5(texts, path))
    for search in PEERS.values():
        search("Warm-up, not timed.")
    return list(PEERS)


def look_up(questions: list[str]) -> dict[str, list[float]]:
    """Ask every peer every question."""
    return {
        name: [milliseconds(lambda: search(question)) for question in questions]  # noqa: B023
        for name, search in PEERS.items()
    }


if __name__ == "__main__":
    serve({"hold": hold, "look_up": look_up})
