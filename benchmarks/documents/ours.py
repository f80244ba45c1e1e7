"""r3mem behind the benchmark's protocol: documents in an SQLite file, through public verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.documents.sets import DocumentSet, passage_id
from benchmarks.recall.conversations import Conversation, SaidTurn
from benchmarks.recall.systems.system import Hit, System
from r3mem_agents import CompressiveMemory, ReversibleModel, StoredTurn, Turn
from r3mem_agents.documents import remember_document
from r3mem_agents.memory import clear_text_cache
from r3mem_agents.passages import PASSAGE


class OurDocuments(System):
    """A memory per set, all in one file.

    Args:
        folder: Where the file is.
        model: Checkpoint, a name or a folder.
        sets: The documents of each user.
    """

    def __init__(self, folder: Path, model: str, sets: Mapping[str, DocumentSet]) -> None:
        self._path = folder / "documents.db"
        self._model = ReversibleModel.from_pretrained(model)
        self._sets = sets
        self._memories: dict[str, CompressiveMemory] = {}

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Remember all documents of a user; their passages are those that peers get."""
        memory = CompressiveMemory(self._path, user=user, model=self._model)
        self._memories[user] = memory
        for document in self._sets[user].documents:
            remember_document(memory, document)

    def talk(self, user: str, conversations: Sequence[Conversation]) -> None:
        """Remember conversations beside a user's documents."""
        for conversation in conversations:
            self._memories[user].remember_many(
                Turn(
                    role=turn.role,
                    text=turn.text,
                    name=turn.speaker,
                    session=f"{conversation.id} {turn.session}",
                    time=turn.time,
                )
                for turn in conversation.turns
            )

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """``recall``, which decodes what it finds."""
        return [(_id(hit.turn), hit.score) for hit in self._memories[user].recall(query, k)]

    def cool(self) -> None:
        """Empty the text cache, so that every text is decoded again."""
        clear_text_cache()

    def disk_bytes(self) -> int:
        """Size of the database, its write-ahead log included."""
        return next(iter(self._memories.values())).stats().file_bytes

    def close(self) -> None:
        """Close the memories."""
        for memory in self._memories.values():
            memory.close()


def _id(turn: StoredTurn) -> str:
    number = turn.metadata.get(PASSAGE)
    return "a turn" if number is None else passage_id(turn.session, number)
