"""Programs that tests run in processes of their own: python -m tests.memory.writer VERB PATH ..."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from r3mem_agents import CompressiveMemory, Turn, recompress
from r3mem_agents.memory import recompressing
from r3mem_agents.store import bound, models, store, writing
from tests.memory.fake_model import FakeModel

BATCH = 40

MODELS: dict[str, Any] = {
    "old": FakeModel("a" * 16, encoder="a"),
    "encoder": FakeModel("a" * 16, encoder="b"),
    "expander": FakeModel("b" * 16, encoder="b", spelling=b"another"),
}
"""What wrote a file, and models of which the part is another one."""


def open_memory(path: str) -> CompressiveMemory:
    model: Any = FakeModel()
    return CompressiveMemory(path, model=model)


def batch(session: str) -> list[Turn]:
    return [
        Turn(role="user", text=f"{session} turn {i} {'words ' * 20}", session=session)
        for i in range(BATCH)
    ]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def write_batches(path: str, name: str, count: str) -> None:
    """Write batches, saying each session's name when it is stored."""
    memory = open_memory(path)
    for number in range(int(count)):
        memory.remember_many(batch(f"{name}-{number}"))
        say(f"{name}-{number}")


def die_before_commit(path: str) -> None:
    """Die with every row of a batch written and nothing committed."""

    def add_and_die(*arguments: Any) -> None:
        writing.add_turns(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    memory = open_memory(path)
    vars(store)["add_turns"] = add_and_die
    memory.remember_many(batch("lost"))


def fork(path: str) -> None:
    """Write before a fork, in the child, and in the parent after it."""
    memory = open_memory(path)
    memory.remember("user", "before", session="fork")
    child = os.fork()
    memory.remember("user", "parent" if child else "child", session="fork")
    if child:
        status = os.waitpid(child, 0)[1]
        memory.remember("user", f"status {status}", session="fork")


def recompress_until(path: str, model: str, what: str, count: str) -> None:
    """Give a file to another model, and die when something is done so many times, if ever."""
    calls = []

    def dying(wanted: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def work_and_die(*arguments: Any) -> Any:
            result = work(*arguments)
            calls.append(wanted)
            if wanted == what and calls.count(wanted) == int(count):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return work_and_die

    new = MODELS[model]
    new.compress = dying("compress", new.compress)
    vars(bound)["renew_codes"] = dying("write", models.renew_codes)
    vars(recompressing)["AT_ONCE"] = 4
    recompress(path, source=MODELS["old"], model=new)


VERBS: dict[str, Callable[..., None]] = {
    "write": write_batches,
    "die": die_before_commit,
    "fork": fork,
    "recompress": recompress_until,
}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
