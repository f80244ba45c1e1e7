"""r3mem behind the benchmark's protocol: an SQLite file, through the public verbs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path

from benchmarks.recall.ablation import Ablation
from benchmarks.recall.conversation_index import ConversationIndex
from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.systems.encoder import Encoder, bundled
from benchmarks.recall.systems.system import Hit, System
from benchmarks.recall.systems.teacher import Teacher
from r3mem_agents import CompressiveMemory, ReversibleModel, Turn
from r3mem_agents.memory import clear_text_cache

BATCH_TURNS = 128
"""Turns per ``remember_many``; that of the speed benchmark."""


class Ours(System):
    """A memory per user, all in one file."""

    def __init__(self, folder: Path, model: str, encoder: Path | None) -> None:
        self._path = folder / "recall.db"
        self._model = ReversibleModel.from_pretrained(model)
        self._encoder_folder = encoder
        self._turns: dict[str, Sequence[SaidTurn]] = {}
        self._indexes: dict[str, ConversationIndex] = {}
        self._teachers: dict[str, Teacher] = {}
        self._memories: dict[str, CompressiveMemory] = {}
        self._last: dict[str, datetime] = {}
        self._asked: datetime | None = None
        self._ids: dict[tuple[str, int], str] = {}

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Remember all turns of a user."""
        memory = CompressiveMemory(self._path, user=user, model=self._model)
        self._memories[user] = memory
        self._turns[user] = turns
        self._last[user] = max(turn.time for turn in turns if turn.time is not None)
        for start in range(0, len(turns), BATCH_TURNS):
            batch = turns[start : start + BATCH_TURNS]
            stored = memory.remember_many(
                Turn(role=t.role, text=t.text, name=t.speaker, session=t.session, time=t.time)
                for t in batch
            )
            for said, turn in zip(batch, stored, strict=True):
                self._ids[user, turn.id] = said.id

    def ask_at(self, time: datetime | None) -> None:
        """Use this time as ``now`` from now on."""
        self._asked = time

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """``recall``, which decodes what it finds."""
        hits = self._memories[user].recall(query, k, now=self._now(user))
        return [(self._ids[user, hit.turn.id], hit.score) for hit in hits]

    def search_sessions(self, user: str, query: str, k: int) -> list[Hit]:
        """The best turn of each of the best ``k`` sessions."""
        hits = self._memories[user].recall(query, k, level="session", now=self._now(user))
        return [(self._ids[user, hit.turn.id], hit.score) for hit in hits]

    def summary(self, user: str, session: str, k: int) -> list[str]:
        """Ids of the turns of a session's summary."""
        turns = self._memories[user].summary(session, k)
        return [self._ids[user, turn.id] for turn in turns]

    def cool(self) -> None:
        """Empty the text cache, so that every text is decoded again."""
        clear_text_cache()

    def context(self, user: str, query: str, token_budget: int) -> str:
        """``context``."""
        return self._memories[user].context(query, token_budget, now=self._now(user))

    def search_under(self, user: str, query: str, k: int, ablation: Ablation) -> list[Hit]:
        """The ranking with other evidence, on an index beside the memory: no verb does this."""
        turns = self._turns[user]
        if user not in self._indexes:
            self._indexes[user] = ConversationIndex(self._model, turns)
        similarity = self._teacher(user).similarity(query) if ablation.teacher else None
        winners = self._indexes[user].rank(query, k, ablation.weights, self._now(user), similarity)
        return [(turns[winner.id - 1].id, winner.score) for winner in winners]

    def _now(self, user: str) -> datetime:
        return self._asked or self._last[user]

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self._encoder_folder or bundled())

    def _teacher(self, user: str) -> Teacher:
        if user not in self._teachers:
            texts = [turn.text for turn in self._turns[user]]
            self._teachers[user] = Teacher(texts, self._encoder)
        return self._teachers[user]

    def disk_bytes(self) -> int:
        """Size of the database, its write-ahead log included."""
        memory = next(iter(self._memories.values()))
        return memory.stats().file_bytes

    def close(self) -> None:
        """Close the memories."""
        for memory in self._memories.values():
            memory.close()
