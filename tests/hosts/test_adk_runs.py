from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

pytest.importorskip("google.adk")

from google.adk.agents import LlmAgent
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.tools.load_memory_tool import load_memory_tool
from google.adk.tools.preload_memory_tool import preload_memory_tool
from google.genai.types import FunctionCall, Part

from r3mem_adk import R3MemoryService
from r3mem_agents import CompressiveMemory
from tests.hosts.adk import (
    DOG,
    QUESTION,
    Scripted,
    found,
    remember,
    runner_of,
    say,
    text_of,
    turns,
)


@pytest.fixture
def service() -> R3MemoryService:
    return R3MemoryService(CompressiveMemory("app.db"))


async def test_preload_memory_puts_what_helps_into_the_prompt(service: R3MemoryService) -> None:
    model = Scripted()
    runner = runner_of(service, model, tools=[preload_memory_tool])
    await say(runner, DOG, "monday")
    await say(runner, QUESTION, "tuesday")
    prompt = model.requests[-1].contents
    assert any(f"user: {DOG}" in (part.text or "") for one in prompt for part in one.parts or ())
    assert turns(service) == [DOG, "Noted.", QUESTION, "Noted."]  # what was recalled is not stored


async def test_load_memory_answers_the_model(service: R3MemoryService) -> None:
    call = Part(function_call=FunctionCall(name="load_memory", args={"query": QUESTION}))
    model = Scripted(parts=[Part(text="Noted."), call, Part(text="Biscuit.")])
    runner = runner_of(service, model, tools=[load_memory_tool])
    await say(runner, DOG, "monday")
    [_, answer, _] = await say(runner, QUESTION, "tuesday")
    [response] = answer.get_function_responses()
    assert response.response is not None
    [entry, *_] = response.response["result"].memories
    assert (entry.author, text_of(entry)) == ("user", DOG)
    assert turns(service) == [DOG, "Noted.", QUESTION, "Biscuit."]


async def test_what_was_said_survives_a_tool_that_fails(service: R3MemoryService) -> None:
    def walk(dog: str) -> str:
        """Walk a dog."""
        raise RuntimeError(f"{dog} is asleep")

    walking = Part(function_call=FunctionCall(name="walk", args={"dog": "Biscuit"}))
    runner = runner_of(service, Scripted(parts=[walking]), tools=[walk])
    with pytest.raises(RuntimeError, match="asleep"):
        await say(runner, DOG, "monday")
    await say(runner, "Never mind.", "monday")
    assert turns(service) == [DOG, "Never mind.", "Noted."]


async def test_sub_agents_are_told_apart_by_name(service: R3MemoryService) -> None:
    transfer = Part(
        function_call=FunctionCall(name="transfer_to_agent", args={"agent_name": "vet"})
    )
    vet = LlmAgent(
        name="vet",
        description="Knows dogs.",
        model=Scripted(parts=[Part(text="Biscuit needs a walk.")]),
        after_agent_callback=remember,
        tools=[preload_memory_tool],
    )
    runner = runner_of(service, Scripted(parts=[transfer]), sub_agents=[vet])
    await say(runner, DOG, "monday")
    assert turns(service) == [DOG, "Biscuit needs a walk."]
    [entry] = [one for one in await found(service, "Who needs a walk?") if one.author == "vet"]
    assert text_of(entry) == "Biscuit needs a walk."


async def test_a_run_that_was_broken_off_is_remembered_with_the_next(
    service: R3MemoryService,
) -> None:
    class Hanging(Scripted):
        async def generate_content_async(
            self, llm_request: LlmRequest, stream: bool = False
        ) -> AsyncGenerator[LlmResponse, None]:
            if len(self.requests) == 0:
                self.requests.append(llm_request)
                await asyncio.sleep(60)
            async for one in super().generate_content_async(llm_request, stream):
                yield one

    runner = runner_of(service, Hanging())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(say(runner, DOG, "monday"), 0.5)
    await say(runner, "Are you there?", "monday")
    assert turns(service) == [DOG, "Are you there?", "Noted."]


async def test_runs_at_once_keep_their_users_apart(service: R3MemoryService) -> None:
    runner = runner_of(service, Scripted(), tools=[preload_memory_tool])
    users = [f"user-{n}" for n in range(8)]
    await asyncio.gather(*(say(runner, f"I am {user}.", "s", user) for user in users))
    for user in users:
        assert turns(service, user) == [f"I am {user}.", "Noted."]
