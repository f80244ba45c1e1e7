from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import psutil
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.processes import peak_bytes, run
from benchmarks.recall.measure import measure
from benchmarks.recall.systems.names import BM25
from benchmarks.recall.systems.system import Options
from tests.benchmarks.recall.talks import task_for


def test_a_process_does_what_is_done_here() -> None:
    steps: Counter[str] = Counter()

    def advance(stage: str, count: int) -> None:
        steps[stage] += count

    task = task_for(BM25)
    there = run(measure, task, advance, BM25, "")
    here = measure(task, lambda stage, count: None)
    assert there.rankings == here.rankings
    assert there.elsewhere == here.elsewhere
    assert there.disk_bytes == here.disk_bytes
    assert len(there.lookup_ms) == sum(ask.timed for ask in task.asks)
    assert steps.total() == task.steps
    own = peak_bytes()
    assert there.peak_bytes is not None
    assert own is not None
    assert 10_000_000 < there.peak_bytes < own  # this process has torch in it, that one has not


class Deadly:
    """Ends the process that unpickles it, as the system does when memory runs out."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


def test_a_process_that_dies_is_named() -> None:
    options = Options("unused", Deadly())  # type: ignore[arg-type]
    with pytest.raises(BenchmarkError, match=r"bm25.*--limit"):
        task = replace(task_for(BM25), options=options)
        run(measure, task, lambda stage, count: None, BM25, "measure fewer with --limit")


def test_a_parent_that_is_killed_takes_its_process_along() -> None:
    code = (
        "from benchmarks.processes import run\n"
        "from benchmarks.recall.conversations import Conversation, Question, SaidTurn\n"
        "from benchmarks.recall.measure import Task, measure\n"
        "from benchmarks.recall.systems.system import Options\n"
        "turns = tuple(SaidTurn(id=str(n), text=f'word{n}') for n in range(3000))\n"
        "talks = tuple(Conversation(id=str(n), turns=turns) for n in range(3000))\n"
        "task = Task('bm25', talks, (), Options('unused', None), ())\n"
        "run(measure, task, lambda stage, count: print(stage, flush=True), 'bm25', '')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        parent.stdout.readline()  # the child is at work
        children = psutil.Process(parent.pid).children(recursive=True)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()  # type: ignore[union-attr]
    assert children
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
