"""Runs one system on the data, and records its results and costs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import Advance, peak_bytes
from benchmarks.recall.ablation import ABLATIONS
from benchmarks.recall.conversations import Conversation
from benchmarks.recall.plan import (
    BUDGETS,
    DEPTHS,
    LOOKED_UP,
    SESSION_DEPTHS,
    SUMMARY_TURNS,
    Ask,
)
from benchmarks.recall.systems.choice import open_system
from benchmarks.recall.systems.names import OURS
from benchmarks.recall.systems.system import Hit, Options, System


@dataclass(frozen=True, slots=True)
class Task:
    """The work of one system.

    Attributes:
        system: Name of the system.
        conversations: The data.
        asks: The questions to put.
        options: Options to open it with.
        ablated: Names of the ``ABLATIONS`` to rank with as well; only ours has levels.
    """

    system: str
    conversations: tuple[Conversation, ...]
    asks: tuple[Ask, ...]
    options: Options
    ablated: tuple[str, ...]

    @property
    def steps(self) -> int:
        """Steps that ``measure`` reports."""
        steps = sum(len(conversation.turns) for conversation in self.conversations)
        steps += len(self.asks)
        steps += sum(ask.timed + (ask.elsewhere is not None) for ask in self.asks)
        if self.system == OURS:
            counted = sum(ask.question.counted for ask in self.asks)
            steps += sum(ask.filled for ask in self.asks) + (1 + len(self.ablated)) * counted
        return steps


@dataclass(slots=True)
class Measured:
    """The measurement of one system.

    Attributes:
        write_s: Seconds spent ingesting all conversations.
        lookup_ms: Milliseconds of each timed lookup.
        disk_bytes: Bytes on disk.
        peak_bytes: Peak memory of the process until the end of the timed lookups.
        rankings: Hits per ask, to the depth of the ask.
        elsewhere: Best score per ask in the other conversation; ``None`` where nothing was found
            or nothing was asked.
        contexts: Per ask and budget, what ``context`` wrote; only ours, only filled asks.
        sessions: Per ask, the turns found at the session level, one for each session; only ours,
            only counted asks.
        summaries: Conversation, turns of a session, and those of them that are its summary;
            only ours.
        ablations: By name, the ids found per counted ask.
    """

    write_s: float = 0.0
    lookup_ms: list[float] = field(default_factory=list)
    disk_bytes: int = 0
    peak_bytes: int | None = None
    rankings: list[list[Hit]] = field(default_factory=list)
    elsewhere: list[float | None] = field(default_factory=list)
    contexts: dict[int, dict[int, str]] = field(default_factory=dict)
    sessions: dict[int, list[str]] = field(default_factory=dict)
    summaries: list[tuple[int, list[str], list[str]]] = field(default_factory=list)
    ablations: dict[str, list[list[str]]] = field(default_factory=dict)


def measure(task: Task, advance: Advance) -> Measured:
    """Run a task in a temporary folder, in this process."""
    result = Measured()
    with tempfile.TemporaryDirectory() as folder:
        system = open_system(task.system, Path(folder), task.options)
        try:
            _write(result, system, task.conversations, advance)
            _time_lookups(result, system, task.asks, advance)
            result.peak_bytes = peak_bytes()
            result.disk_bytes = system.disk_bytes()
            _rank(result, system, task.asks, advance)
            if task.system == OURS:
                _explore(result, system, task, advance)
        finally:
            system.close()
    return result


def _write(
    result: Measured, system: System, conversations: Sequence[Conversation], advance: Advance
) -> None:
    for user, conversation in enumerate(conversations):
        clock = time.perf_counter()
        system.ingest(str(user), conversation.turns)
        result.write_s += time.perf_counter() - clock
        advance("writing", len(conversation.turns))


def _time_lookups(result: Measured, system: System, asks: Sequence[Ask], advance: Advance) -> None:
    for user in {ask.user for ask in asks}:
        system.search(str(user), "warm-up, not timed", LOOKED_UP)
    for ask in asks:
        if ask.timed:
            system.ask_at(ask.question.time)
            system.cool()
            clock = time.perf_counter()
            system.search(str(ask.user), ask.question.question, LOOKED_UP)
            result.lookup_ms.append(1000 * (time.perf_counter() - clock))
            advance("timing lookups", 1)


def _rank(result: Measured, system: System, asks: Sequence[Ask], advance: Advance) -> None:
    for ask in asks:
        question = ask.question.question
        system.ask_at(ask.question.time)
        result.rankings.append(system.search(str(ask.user), question, ask.depth))
        advance("ranking", 1)
        best = None
        if ask.elsewhere is not None:
            system.ask_at(None)
            hits = system.search(str(ask.elsewhere), question, 1)
            best = hits[0][1] if hits else None
            advance("asking elsewhere", 1)
        result.elsewhere.append(best)


def _explore(result: Measured, system: System, task: Task, advance: Advance) -> None:
    from benchmarks.recall.systems.ours import Ours

    assert isinstance(system, Ours)
    for place, ask in enumerate(task.asks):
        system.ask_at(ask.question.time)
        if ask.filled:
            result.contexts[place] = {
                budget: system.context(str(ask.user), ask.question.question, budget)
                for budget in BUDGETS
            }
            advance("filling contexts", 1)
        if ask.question.counted:
            question = ask.question.question
            found = system.search_sessions(str(ask.user), question, SESSION_DEPTHS[-1])
            result.sessions[place] = [id_ for id_, _ in found]
            advance("ranking sessions", 1)
    for user, conversation in enumerate(task.conversations):
        told: dict[str, list[str]] = {}
        for turn in conversation.turns:
            told.setdefault(turn.session, []).append(turn.id)
        for session, ids in told.items():
            result.summaries.append((user, ids, system.summary(str(user), session, SUMMARY_TURNS)))
    for name in task.ablated:
        kept = result.ablations[name] = []
        for ask in task.asks:
            if ask.question.counted:
                question = ask.question.question
                system.ask_at(ask.question.time)
                hits = system.search_under(str(ask.user), question, DEPTHS[-1], ABLATIONS[name])
                kept.append([id_ for id_, _ in hits])
                advance(name, 1)
