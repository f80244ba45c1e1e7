from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.errors import InvalidInputError
from tests.conftest import OpenMemory

VERBS = sorted(
    name
    for name, member in inspect.getmembers(CompressiveMemory, inspect.isfunction)
    if not (name.startswith("_") or inspect.iscoroutinefunction(member))
    and name != "scoped"  # which does nothing but bind names
)


def test_the_verbs_are_these() -> None:
    assert (
        sorted(
            [
                "remember",
                "remember_many",
                "recall",
                "context",
                "summary",
                "history",
                "turn_ids",
                "sessions",
                "fetch",
                "forget",
                "edit",
                "versions",
                "pin",
                "pinned",
                "session_stats",
                "keep_log",
                "log",
                "stats",
                "users",
                "backup",
                "verify",
                "close",
            ]
        )
        == VERBS
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_twin_with_its_signature(verb: str) -> None:
    twin = inspect.getattr_static(CompressiveMemory, f"a{verb}")
    assert inspect.iscoroutinefunction(twin)
    assert inspect.signature(twin) == inspect.signature(getattr(CompressiveMemory, verb))


async def test_the_twins_do_the_same(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory(session="s")
    turn = await memory.aremember("user", "My dog is called Biscuit.", name="Alice")
    many = await memory.aremember_many(
        [Turn(role="assistant", text="A nice name."), Turn(role="tool", text="42", session="t")]
    )
    assert memory.history() == [turn, *many] == await memory.ahistory()
    assert await memory.ahistory("t") == memory.history("t") == many[1:]
    assert await memory.aturn_ids("t") == memory.turn_ids("t") == [many[1].id]
    assert memory.sessions() == ["s", "t"] == await memory.asessions()
    question = "What is the dog called?"
    options: Any = {"roles": ["user"], "sessions": ["s"], "exclude": [many[0].id]}
    assert memory.recall(question, 3) == await memory.arecall(question, 3) != []
    assert memory.recall(question, **options) == await memory.arecall(question, **options)
    assert memory.recall(question, level="session") == await memory.arecall(
        question, level="session"
    )
    assert memory.context(question, 90) == await memory.acontext(question, 90)
    assert memory.context(question, **options) == await memory.acontext(question, **options) != ""
    assert await memory.acontext(question, count=lambda _: 10**6, nothing="No.") == ""
    assert memory.stats() == await memory.astats()
    assert memory.users() == await memory.ausers() != []
    assert memory.verify() == await memory.averify()
    await memory.abackup(tmp_path / "copy.db")
    with open_memory("copy.db") as copy:
        assert copy.history() == memory.history()
    assert (await memory.aforget(session="t")).turns == 1
    with pytest.raises(InvalidInputError):
        await memory.arecall("dog", k=0)
    await memory.aclose()


async def test_many_at_once(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turns = await asyncio.gather(*(memory.aremember("user", f"Number {i}.") for i in range(20)))
    assert {turn.id for turn in turns} == {turn.id for turn in await memory.ahistory()}
    assert len(turns) == 20
