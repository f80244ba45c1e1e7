"""What fails in runs of Pydantic AI, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("pydantic_ai")

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models.function import AgentInfo, FunctionModel

from r3mem_agents import CompressiveMemory, InvalidInputError, StoreError
from r3mem_agents.types import NOBODY
from r3mem_pydantic_ai import R3Memory
from tests.hosts.pydantic_ai_model import DOG, Scripted, texts, user_of

USER = NOBODY


async def test_the_user_is_heard_even_if_the_model_fails(memory: CompressiveMemory) -> None:
    agent = Agent(Scripted(RuntimeError("no model")).model, capabilities=[R3Memory(memory)])
    with pytest.raises(RuntimeError):
        await agent.run(DOG)
    assert texts(memory, "default") == [DOG]


async def test_half_a_character_does_not_end_a_run(memory: CompressiveMemory) -> None:
    agent = Agent(Scripted("A \ud83e.").model, capabilities=[R3Memory(memory)])
    await agent.run("What is it? \ud83e")
    assert texts(memory, "default") == ["What is it? \ufffd", "A \ufffd."]


async def test_a_run_that_is_cancelled_leaves_what_was_said(memory: CompressiveMemory) -> None:
    reached = asyncio.Event()

    async def wait(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        reached.set()
        await asyncio.sleep(60)
        raise AssertionError

    agent = Agent(FunctionModel(wait), capabilities=[R3Memory(memory)])
    task = asyncio.create_task(agent.run(DOG))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert texts(memory, "default") == [DOG]


async def test_a_memory_that_fails_is_told_or_logged(
    memory: CompressiveMemory, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(**options: Any) -> Agent[None, str]:
        capability = R3Memory[None](memory, **options)
        agent = Agent(Scripted("Hello.").model, capabilities=[capability])
        agent.instructions(lambda: memory.close())
        return agent

    answer = await failing(on_error="log", tools=False).run("Hello.")
    assert answer.output == "Hello."
    logged = {record.message for record in caplog.records if record.name.startswith("r3mem")}
    assert logged == {"what was said was not stored"}
    with pytest.raises(StoreError):
        await failing().run("Hello.")


@pytest.mark.parametrize(
    "options",
    [
        {"user_id": ""},
        {"k": 0},
        {"window": -1},
        {"token_budget": "many"},
        {"where": {"nothing": 1}},
        {"as_of": "now"},
        {"expires": 3},
        {"recall_from": "thread"},
        {"on_error": "ignore"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_wrong_options_are_named(memory: CompressiveMemory, options: dict[str, Any]) -> None:
    [name] = options
    with pytest.raises(InvalidInputError, match=name):
        R3Memory(memory, **options)


async def test_a_run_of_an_empty_user_is_refused(memory: CompressiveMemory) -> None:
    capability = R3Memory(memory, user_id=user_of)
    agent = Agent(Scripted("Hello.").model, deps_type=str, capabilities=[capability])
    with pytest.raises(InvalidInputError, match="user_id is empty"):
        await agent.run("Hello.", deps="")
