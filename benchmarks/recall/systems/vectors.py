"""Sentence vectors in LangChain's ``InMemoryVectorStore``, one store per user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore

from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.systems.encoder import TextEncoder
from benchmarks.recall.systems.system import Hit, System, folder_bytes, line


class LangChainEncoder(Embeddings):
    """An encoder with LangChain's interface."""

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Vectors of texts."""
        return self._encoder.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """Vector of a query."""
        return self._encoder.embed_query(text)


class VectorStore(System):
    """Cosine similarity among all turns of a user."""

    def __init__(self, folder: Path, encoder: TextEncoder) -> None:
        self._folder = folder
        self._encoder = LangChainEncoder(encoder)
        self._stores: dict[str, InMemoryVectorStore] = {}

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Embed all turns of a user."""
        store = self._stores[user] = InMemoryVectorStore(self._encoder)
        store.add_texts([line(turn) for turn in turns], ids=[turn.id for turn in turns])

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """The most similar turns, however low their similarity."""
        found = self._stores[user].similarity_search_with_score(query, k)
        return [(str(document.id), score) for document, score in found]

    def disk_bytes(self) -> int:
        """Size of the stores as they dump themselves: JSON."""
        for user, store in self._stores.items():
            store.dump(str(self._folder / f"{user}.json"))
        return folder_bytes(self._folder)

    def close(self) -> None:
        """Nothing is held open."""
