"""Children of a process that computes and works in threads, with a real model."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from r3mem_agents import forking
from r3mem_agents.forking import Lock, in_children, unforked

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),  # from Python 3.12
]


def said(verb: str, path: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.memory.forker", verb, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_child_of_a_process_that_computed_in_two_threads_goes_on(tmp_path: Path) -> None:
    assert said("threads", tmp_path / "memory.db") == ["done"]


def test_children_do_not_wait_for_locks_of_the_parents_threads(tmp_path: Path) -> None:
    assert said("locks", tmp_path / "memory.db") == ["done"] * 12


def test_work_that_a_fork_waits_for_may_use_pools_and_loggers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("r3mem_agents.forking.PATIENCE_S", 60.0)
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        with unforked(), ThreadPoolExecutor(1) as pool:
            begun.set()
            time.sleep(0.3)  # the fork's hooks run
            logging.getLogger("r3mem_agents").addHandler(logging.NullHandler())
            pool.submit(done.set).result()

    worker = threading.Thread(target=work)
    worker.start()
    begun.wait()
    child = os.fork()
    if not child:
        os._exit(done.is_set())
    worker.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_nobody_holds_a_lock_in_a_child() -> None:
    lock, held, over = Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            over.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    child = os.fork()
    if not child:
        with lock:
            os._exit(7)
    over.set()
    holder.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    with lock:
        pass


def test_what_is_asked_for_is_done_in_children_alone() -> None:
    done: list[int] = []
    in_children(lambda: done.append(1))
    child = os.fork()
    if not child:
        os._exit(len(done))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert not done


def test_a_fork_waits_for_what_no_child_could_renew() -> None:
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        with unforked(), unforked():
            begun.set()
            time.sleep(0.3)
            done.set()

    worker = threading.Thread(target=work)
    worker.start()
    begun.wait()
    child = os.fork()
    if not child:
        with unforked():
            os._exit(done.is_set())
    worker.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    with unforked():
        child = os.fork()  # a thread does not wait for itself
        if not child:
            os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


def test_a_fork_does_not_wait_for_a_call_that_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At any line before its work begins."""
    monkeypatch.setattr("r3mem_agents.forking.PATIENCE_S", 60.0)
    lines: set[int] = set()

    def interrupt(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_name != "__call__" or frame.f_code.co_filename != forking.__file__:
            return None
        if event == "line" and not done and frame.f_lineno not in lines:
            lines.add(frame.f_lineno)
            raise KeyboardInterrupt
        return interrupt

    def fork() -> None:
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)

    done = False
    while not done:
        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            with unforked():
                done = True
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        other = threading.Thread(target=fork)  # a thread does not wait for itself
        begun = time.monotonic()
        other.start()
        other.join()
        assert time.monotonic() - begun < 30, sorted(lines)
    assert len(lines) > 4
