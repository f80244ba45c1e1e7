"""What agents of Microsoft Agent Framework forget, what fails, and what is refused."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("agent_framework")

from agent_framework import Agent, AgentSession, Message

from r3mem_agent_framework import R3ContextProvider, R3HistoryProvider
from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, R3MemError
from tests.hosts.agent_framework_client import Scripted, dicts

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'integrations'}"}


HELLO = [Message("user", ["Hello."]), Message("assistant", ["Hi."])]


async def test_deleting_deletes(memory: CompressiveMemory) -> None:
    history = R3HistoryProvider(memory)
    await history.save_messages("s", HELLO)
    memory.forget(session="s")
    assert await history.get_messages("s") == []
    await history.save_messages("s", HELLO)
    assert dicts(await history.get_messages("s")) == dicts(HELLO)


async def test_messages_expire(memory: CompressiveMemory) -> None:
    history = R3HistoryProvider(memory, expires=timedelta(milliseconds=1))
    await history.save_messages("s", HELLO)
    await asyncio.sleep(0.01)
    assert await history.get_messages("s") == []


async def test_a_turn_of_another_door_is_a_plain_message(memory: CompressiveMemory) -> None:
    memory.remember("user", "From the terminal.", session="s", name="Ann", metadata={"a": 1})
    [found] = await R3HistoryProvider(memory).get_messages("s")
    assert (found.role, found.text, found.author_name) == ("user", "From the terminal.", "Ann")


@pytest.mark.parametrize("provider", [R3HistoryProvider, R3ContextProvider])
async def test_a_memory_that_fails_is_raised_or_logged(
    provider: Any, caplog: pytest.LogCaptureFixture
) -> None:
    memory = CompressiveMemory("broken.db", user="alice")
    memory.remember("user", "Hello.")
    memory.close()
    Path("broken.db").write_bytes(b"no database" * 999)
    session = AgentSession(session_id="s")
    with pytest.raises(R3MemError):
        await Agent(Scripted("Hi."), context_providers=[provider(memory)]).run(
            "Hello.", session=session
        )
    agent = Agent(Scripted("Hi."), context_providers=[provider(memory, on_error="log")])
    with caplog.at_level(logging.ERROR):
        assert (await agent.run("Hello.", session=session)).text == "Hi."
    assert {record.name for record in caplog.records} == {
        f"r3mem_agent_framework.{'history' if provider is R3HistoryProvider else 'context'}"
    }
    assert len(caplog.records) == 2


@pytest.mark.parametrize("provider", [R3HistoryProvider, R3ContextProvider])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"on_error": "ignore"}, "on_error"),
        ({"user_id": ""}, "user_id is empty"),
        ({"expires": 3}, "expires"),
    ],
)
def test_options_that_nothing_would_take_are_refused(
    memory: CompressiveMemory, provider: Any, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInputError, match=told):
        provider(memory, **options)


@pytest.mark.parametrize(
    "options", [{"k": 0}, {"token_budget": -1}, {"recall_from": "all"}, {"where": {"a": 1}}]
)
def test_lookups_that_nothing_would_take_are_refused(
    memory: CompressiveMemory, options: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError):
        R3ContextProvider(memory, **options)


def test_the_example_tells_its_users_apart() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "agent_framework_agent.py", "--db", "agent.db"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("no model is at work") == 4
    alice, bob = done.stdout.split("bob, friday:")
    assert "user: My dog is called Biscuit" in alice
    assert "user: My dog is called Rex" in bob
    assert Path("agent.db").exists()
