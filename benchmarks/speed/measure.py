"""Measures times of writes, lookups and expansion, and sizes."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import r3mem_agents
from benchmarks.synthetic import START, some_words
from benchmarks.timing import percentiles
from r3mem_agents.types import Turn

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory, ReversibleModel

BATCH_TURNS = 128
"""Turns per ``remember_many``; chosen."""

RECALLED = 5
IMPORT_RUNS = 5
IMPORT_CODE = (
    "import time; t = time.perf_counter(); import r3mem_agents; print(time.perf_counter() - t)"
)

Advance = Callable[[str, int], None]
"""Called with the name of a stage and the number of steps just done."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    Attributes:
        turns: Turns in the memory at the end.
        checkpoints: Turn counts at which lookups are timed; the last is ``turns``.
        single_writes: Turns written one by one.
        lookups: Questions per checkpoint.
        expanded: Turns expanded for the tokens per second.
        seed: Seed of the choice of turns and questions.
    """

    turns: int
    checkpoints: tuple[int, ...]
    single_writes: int
    lookups: int
    expanded: int
    seed: int

    @classmethod
    def of(cls, turns: int, quick: bool, seed: int) -> Plan:
        """The usual plan, or a short one."""
        turns = min(turns, 500) if quick else turns
        checkpoints = tuple(sorted({min(1_000, turns), turns}))
        few = 20 if quick else 200
        return cls(turns, checkpoints, few, few // 2, min(turns, 5 * few), seed)

    @property
    def steps(self) -> dict[str, int]:
        """Stages and their numbers of steps."""
        return {
            "writing in batches": self.turns - self.single_writes,
            "writing one by one": self.single_writes,
            "looking up": self.lookups * len(self.checkpoints),
            "expanding": self.expanded,
            "importing": IMPORT_RUNS,
        }


def measure(
    model: ReversibleModel, turns: Sequence[Turn], plan: Plan, advance: Advance
) -> dict[str, Any]:
    """Run all stages on a new memory in a temporary folder.

    Args:
        model: The model.
        turns: ``plan.turns`` turns.
        plan: How much to measure.
        advance: Progress.
    """
    from r3mem_agents import CompressiveMemory

    figures: dict[str, Any] = {}
    single = list(turns[: plan.single_writes])
    with (
        tempfile.TemporaryDirectory() as folder,
        CompressiveMemory(str(Path(folder) / "speed.db"), model=model) as memory,
    ):
        memory.remember("user", "Warm-up, not timed.", session="warm-up", time=START)
        figures["write_one_ms"] = _write_single(memory, single, advance)
        written, seconds = len(single), 0.0
        figures["recall_ms"], figures["recall_again_ms"] = {}, {}
        for checkpoint in plan.checkpoints:
            batch_seconds = _write_batches(memory, turns[written:checkpoint], advance)
            seconds += batch_seconds
            written = max(written, checkpoint)
            first, again = _look_up(memory, turns[:written], plan, advance)
            figures["recall_ms"][str(checkpoint)] = first
            figures["recall_again_ms"][str(checkpoint)] = again
        figures["write_batch_turns_per_s"] = _rate(written - len(single), seconds)
        stats = memory.stats()
    figures["text_bytes"] = stats.text_bytes
    figures["file_bytes"] = stats.file_bytes
    figures["file_to_text"] = _rate(stats.file_bytes, stats.text_bytes, digits=3)
    figures["code_to_text"] = _rate(stats.code_bytes, stats.text_bytes, digits=3)
    figures["expand_tokens_per_s"] = _expand(model, turns[: plan.expanded], advance)
    figures["import_s_median"] = _import_seconds(advance)
    return figures


def _write_single(
    memory: CompressiveMemory, turns: Sequence[Turn], advance: Advance
) -> dict[str, float]:
    times = []
    for turn in turns:
        clock = time.perf_counter()
        memory.remember(turn.role, turn.text, session=turn.session, time=turn.time)
        times.append(1000 * (time.perf_counter() - clock))
        advance("writing one by one", 1)
    return percentiles(times)


def _write_batches(memory: CompressiveMemory, turns: Sequence[Turn], advance: Advance) -> float:
    seconds = 0.0
    for start in range(0, len(turns), BATCH_TURNS):
        batch = list(turns[start : start + BATCH_TURNS])
        clock = time.perf_counter()
        memory.remember_many(batch)
        seconds += time.perf_counter() - clock
        advance("writing in batches", len(batch))
    return seconds


def _look_up(
    memory: CompressiveMemory, turns: Sequence[Turn], plan: Plan, advance: Advance
) -> tuple[dict[str, float], dict[str, float]]:
    """Times of lookups with decoding of the results, and of the same lookups once more."""
    from r3mem_agents.memory import clear_text_cache

    generator = random.Random(plan.seed + len(turns))
    memory.recall("warm-up, not timed", k=RECALLED)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(plan.lookups):
        question = some_words(generator, turns)
        clear_text_cache()  # a lookup is timed with its expansions, then with its texts at hand
        for some in times:
            clock = time.perf_counter()
            memory.recall(question, k=RECALLED)
            some.append(1000 * (time.perf_counter() - clock))
        advance("looking up", 1)
    first, again = map(percentiles, times)
    return first, again


def _expand(model: ReversibleModel, turns: Sequence[Turn], advance: Advance) -> float | None:
    tokens, seconds = 0, 0.0
    for start in range(0, len(turns), BATCH_TURNS):
        texts = [turn.text for turn in turns[start : start + BATCH_TURNS]]
        stored = model.compress(texts)
        clock = time.perf_counter()
        model.expand(stored)
        seconds += time.perf_counter() - clock
        tokens += sum(one.tokens for one in stored)
        advance("expanding", len(texts))
    return _rate(tokens, seconds)


def _import_seconds(advance: Advance) -> float:
    times = []
    environment = {**os.environ, "PYTHONPATH": str(Path(r3mem_agents.__file__).parents[1])}
    for _ in range(IMPORT_RUNS):
        done = subprocess.run(
            [sys.executable, "-c", IMPORT_CODE],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        times.append(float(done.stdout))
        advance("importing", 1)
    return round(statistics.median(times), 4)


def wheel_bytes(folder: Path) -> int | None:
    """Size of the newest wheel in a folder; ``None`` if there is none."""
    wheels = sorted(folder.glob("r3mem_agents-*.whl"), key=lambda path: path.stat().st_mtime)
    return wheels[-1].stat().st_size if wheels else None


def _rate(amount: float, per: float, digits: int = 1) -> float | None:
    return round(amount / per, digits) if per else None
