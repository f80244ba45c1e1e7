"""Runs one system on the documents, and records its results and costs."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.documents.sets import DocumentSet
from benchmarks.processes import Advance
from benchmarks.recall.conversations import Conversation
from benchmarks.recall.systems.choice import open_system
from benchmarks.recall.systems.names import OURS
from benchmarks.recall.systems.system import Options, System

DEPTHS = (1, 5, 10)
"""Depths at which gold passages are counted."""

DEPTH = 20
"""Depth of a ranking."""

LOOKED_UP = 5
"""Passages of a timed lookup."""

TIMED_QUESTIONS = 100
"""Number of timed lookups; chosen."""


@dataclass(frozen=True, slots=True)
class Task:
    """The work of one system.

    Attributes:
        system: Name of the system.
        sets: The documents and questions, by user.
        talk: Conversations that ours remembers beside the documents in the end, to be asked again.
        options: Options to open the system with.
        seed: Seed of the choice of timed questions.
    """

    system: str
    sets: Mapping[str, DocumentSet]
    talk: tuple[Conversation, ...]
    options: Options
    seed: int

    @property
    def questions(self) -> list[tuple[str, str]]:
        """All questions, each after its user."""
        return [
            (user, asked.question) for user, one in self.sets.items() for asked in one.questions
        ]

    @property
    def steps(self) -> int:
        """Steps that ``measure`` reports."""
        questions = len(self.questions)
        rounds = 2 if self.system == OURS and self.talk else 1
        passages = sum(len(one.passages) for one in self.sets.values())
        return passages + min(TIMED_QUESTIONS, questions) + rounds * questions


@dataclass(slots=True)
class Measured:
    """The measurement of one system.

    Attributes:
        write_s: Seconds spent ingesting all documents.
        lookup_ms: Milliseconds of each timed lookup.
        disk_bytes: Bytes on disk.
        rankings: Ids of passages per question.
        beside_talk: The same with conversations in the memory; only ours.
    """

    write_s: float = 0.0
    lookup_ms: list[float] = field(default_factory=list)
    disk_bytes: int = 0
    rankings: list[list[str]] = field(default_factory=list)
    beside_talk: list[list[str]] = field(default_factory=list)


def measure(task: Task, advance: Advance) -> Measured:
    """Run a task in a temporary folder, in this process."""
    result = Measured()
    with tempfile.TemporaryDirectory() as folder:
        system = _open(task, Path(folder))
        try:
            for user, one in task.sets.items():
                turns = one.passages
                clock = time.perf_counter()
                system.ingest(user, turns)
                result.write_s += time.perf_counter() - clock
                advance("writing", len(turns))
            _time_lookups(result, system, task, advance)
            result.disk_bytes = system.disk_bytes()
            result.rankings = _rank(system, task, advance, "ranking")
            if task.system == OURS and task.talk:
                _talk(system, task)
                result.beside_talk = _rank(system, task, advance, "ranking beside talk")
        finally:
            system.close()
    return result


def _open(task: Task, folder: Path) -> System:
    if task.system != OURS:
        return open_system(task.system, folder, task.options)
    from benchmarks.documents.ours import OurDocuments

    return OurDocuments(folder, task.options.model, task.sets)


def _time_lookups(result: Measured, system: System, task: Task, advance: Advance) -> None:
    for user in task.sets:
        system.search(user, "warm-up, not timed", LOOKED_UP)
    questions = task.questions
    drawn = random.Random(task.seed).sample(questions, min(TIMED_QUESTIONS, len(questions)))
    for user, question in drawn:
        system.cool()
        clock = time.perf_counter()
        system.search(user, question, LOOKED_UP)
        result.lookup_ms.append(1000 * (time.perf_counter() - clock))
        advance("timing lookups", 1)


def _rank(system: System, task: Task, advance: Advance, stage: str) -> list[list[str]]:
    rankings = []
    for user, question in task.questions:
        rankings.append([id_ for id_, _ in system.search(user, question, DEPTH)])
        advance(stage, 1)
    return rankings


def _talk(system: System, task: Task) -> None:
    from benchmarks.documents.ours import OurDocuments

    assert isinstance(system, OurDocuments)
    for user in task.sets:
        system.talk(user, task.talk)
