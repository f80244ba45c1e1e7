"""The steps of the demonstration; nothing here shows anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from r3mem_agents.cli.demo.meetings import Meetings, Question
from r3mem_agents.types import Recollection, Turn

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory

Advance = Callable[[int], None]
"""Called with the number of turns or questions just done."""

BATCH_TURNS = 32
"""Turns per transaction, between two steps of the progress bar; chosen."""

RECALLED = 5
"""Turns asked for per question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The recollections for one question."""

    question: Question
    hits: list[Recollection]
    milliseconds: float

    def is_gold(self, hit: Recollection) -> bool:
        """Tell whether a recollection is one of the turns that answer the question."""
        return hit.turn.metadata.get("id") in self.question.gold

    @property
    def found(self) -> bool:
        """Tell whether any turn that answers the question came back."""
        return any(self.is_gold(hit) for hit in self.hits)


@dataclass(frozen=True, slots=True)
class Ingestion:
    """Time and size of the writing."""

    seconds: float
    turns: int
    text_bytes: int


@dataclass(frozen=True, slots=True)
class Check:
    """Time and result of reading back."""

    seconds: float
    turns: int
    exact: int


def ingest(memory: CompressiveMemory, meetings: Meetings, advance: Advance) -> Ingestion:
    """Write all turns."""
    start = time.perf_counter()
    for batch in batches(meetings.turns):
        memory.remember_many(batch)
        advance(len(batch))
    size = sum(len(turn.text.encode("utf-8")) for turn in meetings.turns)
    return Ingestion(time.perf_counter() - start, len(meetings.turns), size)


def check(memory: CompressiveMemory, meetings: Meetings, advance: Advance) -> Check:
    """Read all turns back, meeting by meeting, and compare every byte."""
    start = time.perf_counter()
    exact = 0
    for session in meetings.sessions:
        told = [turn for turn in meetings.turns if turn.session == session]
        read = memory.history(session)
        same_length = len(read) == len(told)
        exact += sum(
            same_length and _facts(before) == _facts(after)
            for before, after in zip(told, read, strict=False)
        )
        advance(len(told))
    return Check(time.perf_counter() - start, len(meetings.turns), exact)


def _facts(turn: Turn) -> tuple[Any, ...]:
    return (
        turn.text.encode("utf-8"),
        turn.role,
        turn.name,
        turn.session,
        turn.time,
        dict(turn.metadata or {}),
    )


def ask(memory: CompressiveMemory, meetings: Meetings, advance: Advance) -> list[Answer]:
    """Ask every question, after one lookup that is not timed."""
    from r3mem_agents.memory import clear_text_cache

    memory.recall("Good morning, everyone.", k=RECALLED)
    answers = []
    for question in meetings.questions:
        clear_text_cache()  # a lookup is timed with its expansions
        start = time.perf_counter()
        hits = memory.recall(question.text, k=RECALLED)
        answers.append(Answer(question, hits, 1000 * (time.perf_counter() - start)))
        advance(1)
    return answers


def batches(turns: list[Turn]) -> Iterator[list[Turn]]:
    """Cut turns into runs of ``BATCH_TURNS``."""
    for start in range(0, len(turns), BATCH_TURNS):
        yield turns[start : start + BATCH_TURNS]
