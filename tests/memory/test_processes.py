"""Several threads and processes on one file, and what a kill -9 leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from r3mem_agents import Turn
from tests.conftest import OpenMemory
from tests.memory import writer
from tests.memory.fake_model import FakeModel

ROOT = Path(__file__).parents[2]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.memory.writer", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.split()


def test_processes_write_one_new_file(path: Path) -> None:
    names = ["a", "b", "c", "d"]
    writers = [start("write", str(path), name, "5") for name in names]
    for process in writers:
        finish(process)
    with writer.open_memory(str(path)) as memory:
        turns = memory.history()
        assert memory.recall("a-3 turn 7", k=1)[0].turn.session == "a-3"
    by_session = Counter(turn.session for turn in turns)
    assert by_session == {f"{name}-{n}": writer.BATCH for name in names for n in range(5)}
    for session in by_session:
        assert session is not None
        texts = [turn.text for turn in turns if turn.session == session]
        assert texts == [turn.text for turn in writer.batch(session)]
    for name in names:
        order = list(dict.fromkeys(t.session for t in turns if (t.session or "")[0] == name))
        assert order == [f"{name}-{n}" for n in range(5)]


def test_another_process_is_heard_at_once(open_memory: OpenMemory, path: Path) -> None:
    memory = open_memory(model=FakeModel())
    memory.remember("user", "First.")
    assert len(memory.recall("turn words", k=1000)) == 0
    finish(start("write", str(path), "other", "1"))
    assert len(memory.recall("turn words", k=1000)) == writer.BATCH
    assert len(memory.history()) == writer.BATCH + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_memory_survives_a_fork(path: Path) -> None:
    finish(start("fork", str(path)))
    with writer.open_memory(str(path)) as memory:
        texts = [turn.text for turn in memory.history()]
    assert texts[0] == "before"
    assert set(texts[1:3]) == {"child", "parent"}
    assert texts[3] == "status 0"


def test_threads_share_a_memory(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(12):
                turn = memory.remember("user", f"{name} {name}{number}", session=name)
                assert memory.recall(f"{name}{number}", k=1)[0].turn.id == turn.id
                if number % 4 == 3:
                    memory.forget(turn_ids=[turn.id])
        except BaseException as failure:
            failures.append(failure)

    names = ["xenon", "yttrium", "zinc", "argon"]
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for name in names:
        expected = [f"{name} {name}{number}" for number in range(12) if number % 4 != 3]
        assert [turn.text for turn in memory.history(name)] == expected


def test_threads_share_a_memory_in_memory(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", model=FakeModel())
    threads = [
        threading.Thread(target=memory.remember_many, args=(writer.batch(name),))
        for name in ("a", "b", "c")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(turn.session for turn in memory.history()) == dict.fromkeys("abc", writer.BATCH)


def kill_while_writing(path: Path, times: int) -> None:
    chance = random.Random(7)
    for attempt in range(times):
        process = start("write", str(path), f"run{attempt}", "100000")
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        assert first, process.stderr.read()
        time.sleep(chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=60)
        said = [first, *rest.splitlines(keepends=True)]
        check_whole(path, f"run{attempt}", [line.strip() for line in said if line.endswith("\n")])


def check_whole(path: Path, run: str, acknowledged: list[str]) -> None:
    """Every batch is there whole or not at all, and what was acknowledged is there."""
    with writer.open_memory(str(path)) as memory:
        turns: dict[str, list[Turn]] = {}
        for turn in memory.history():
            turns.setdefault(turn.session, []).append(turn)
        memory.remember("user", "It can still be written to.", session=f"after {run}")
    for session, members in turns.items():
        if not session.startswith("after"):
            assert [m.text for m in members] == [m.text for m in writer.batch(session)]
    mine = {session for session in turns if session.startswith(f"{run}-")}
    assert set(acknowledged) <= mine
    assert len(mine) <= len(acknowledged) + 1  # one may be stored and not acknowledged yet


def test_kill_while_writing(path: Path) -> None:
    kill_while_writing(path, times=6)


@pytest.mark.slow
def test_kill_while_writing_fifty_times(path: Path) -> None:
    kill_while_writing(path, times=50)


def test_kill_before_the_commit_leaves_nothing(path: Path) -> None:
    with writer.open_memory(str(path)) as memory:
        kept = memory.remember("user", "Stored before.")
        process = start("die", str(path))
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert memory.history() == [kept]
        assert len(memory.remember_many(writer.batch("next"))) == writer.BATCH
