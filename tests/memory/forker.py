"""Programs that fork, for tests: python -m tests.memory.forker VERB PATH. They say what failed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from r3mem_agents import CompressiveMemory, ReversibleModel, Turn
from r3mem_agents.model.native import threads

TINY = Path(__file__).parents[1] / "golden" / "tiny"
TEXT = "We met at 10:30 in Lisbon, and my dog Biscuit ran along the beach. " * 20
PATIENCE_S = 30


def open_memory(path: str) -> CompressiveMemory:
    return CompressiveMemory(path, model=ReversibleModel.from_pretrained(TINY))


def forked(work: Callable[[], None]) -> str:
    """Work in a child; says how it ended."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return "done" if status == 0 else f"status {status}"
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def use(memory: CompressiveMemory, name: str) -> None:
    """Every kind of call."""
    memory.remember("user", f"{name} saw {TEXT}", session=name)
    assert memory.recall(f"What did {name} see?", k=1)
    assert len(memory.history(name)) == 1


def after_two_threads(path: str) -> None:
    """Compute with two threads, then fork; the child computes with two of its own."""
    vars(threads)["allowed"] = lambda: 2
    memory = open_memory(path)
    turns = [Turn(role="user", text=f"{number} {TEXT}", session="before") for number in range(32)]
    memory.remember_many(turns)
    assert threads._pool.cache_info().currsize == 1

    def work() -> None:
        assert threads._pool.cache_info().currsize == 0
        memory.remember_many([replace(turn, session="child") for turn in turns])
        assert threads._pool.cache_info().currsize == 1
        use(memory, "Priya")

    say(forked(work))
    use(memory, "Tom")


def while_others_work(path: str) -> None:
    """Fork again and again while other threads read and write: they may hold any lock."""
    memory = open_memory(path)
    over = threading.Event()

    def keep_using(name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            use(memory.scoped(user=name), f"{name}{number}")

    threading.excepthook = fail
    others = [threading.Thread(target=keep_using, args=(name,)) for name in ("default", "Ann")]
    for other in others:
        other.start()
    try:
        for number in range(12):
            say(forked(lambda number=number: use(memory, f"child{number}")))  # type: ignore[misc]
            time.sleep(0.013)
    finally:
        over.set()
        for other in others:
            other.join()


def fail(failure: threading.ExceptHookArgs) -> None:
    """End the program with what went wrong in one of its threads."""
    threading.__excepthook__(failure)
    os._exit(1)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


VERBS = {"threads": after_two_threads, "locks": while_others_work}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
