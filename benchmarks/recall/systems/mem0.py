"""mem0 without its language model: ``add(..., infer=False)`` into a local Qdrant folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.systems.encoder import Encoder
from benchmarks.recall.systems.system import Hit, System, folder_bytes, line


class _Vectors:
    """The encoder with mem0's interface."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        return self._encoder.embed_query(text)

    def embed_batch(
        self, texts: Sequence[str], memory_action: str | None = None
    ) -> list[list[float]]:
        return self._encoder.embed_documents(texts)


class Mem0(System):
    """One collection with all users, as mem0 keeps them; telemetry off."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        # Both are read when mem0 is imported.
        os.environ["MEM0_TELEMETRY"] = "False"
        os.environ["MEM0_DIR"] = str(folder / "home")
        logging.getLogger("mem0").setLevel(logging.ERROR)
        from mem0 import Memory

        self._folder = folder
        self._memory = Memory.from_config(
            {
                "vector_store": {
                    "provider": "qdrant",
                    "config": {
                        "path": str(folder / "qdrant"),
                        "on_disk": True,
                        "embedding_model_dims": encoder.dimensions,
                    },
                },
                "history_db_path": str(folder / "history.db"),
                # mem0 creates both of these on start; neither is ever used.
                "llm": {"provider": "openai", "config": {"api_key": "unused"}},
                "embedder": {"provider": "openai", "config": {"api_key": "unused"}},
            }
        )
        self._memory.embedding_model = _Vectors(encoder)
        self._ids: dict[str, str] = {}

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Add all turns of a user, each as a message."""
        messages = [{"role": "user", "content": line(turn)} for turn in turns]
        added = self._memory.add(messages, user_id=user, infer=False)["results"]
        for turn, memory in zip(turns, added, strict=True):
            self._ids[memory["id"]] = turn.id

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """``search`` with mem0's own score threshold."""
        found = self._memory.search(query, top_k=k, filters={"user_id": user})["results"]
        return [(self._ids[memory["id"]], memory["score"]) for memory in found]

    def disk_bytes(self) -> int:
        """Size of the Qdrant folder and of the history that mem0 keeps beside it."""
        return folder_bytes(self._folder)

    def close(self) -> None:
        """Close the collection and the history."""
        self._memory.vector_store.client.close()
        self._memory.close()
