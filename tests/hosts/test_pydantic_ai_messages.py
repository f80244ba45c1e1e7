"""Messages of Pydantic AI, stored in its runs: all of them, as they were, for another run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

pytest.importorskip("pydantic_ai")

from pydantic import BaseModel
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, ModelRetry, ToolReturn
from pydantic_ai.capabilities import ProcessHistory
from pydantic_ai.messages import (
    BinaryContent,
    FilePart,
    ImageUrl,
    ModelMessage,
    ModelResponse,
    TextContent,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    UserContent,
)
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RequestUsage

from r3mem_agents import CompressiveMemory
from r3mem_agents.types import NOBODY
from r3mem_pydantic_ai import R3Memory
from tests.hosts.pydantic_ai_model import DOG, Scripted, call, kept, texts

USER = NOBODY

IMAGE = BinaryContent(b"\x89PNG\x00\xff", media_type="image/png")


async def test_messages_come_back_equal(memory: CompressiveMemory) -> None:
    script = Scripted(call("look", at="it"), call("fail"), call("fail"), "A fox.")
    agent = Agent(script.model, system_prompt="Be brief.", capabilities=[R3Memory(memory)])

    @agent.tool_plain
    def look(at: str) -> ToolReturn[Any]:
        return ToolReturn(return_value={"seen": at, "legs": 4}, content=["This:", IMAGE])

    @agent.tool_plain(retries=3)
    def fail() -> str:
        if len(script.answers) > 1:
            raise ModelRetry("Once more.")
        return "Done."

    prompt: list[UserContent] = [
        "What is this?",
        IMAGE,
        ImageUrl("https://example.org/a.png"),
        TextContent("Say."),
    ]
    run = await agent.run(prompt, conversation_id="one", metadata={"from": "test"})
    reader = R3Memory(memory)
    assert reader.messages("one") == kept(run.all_messages())
    assert await reader.amessages("one") == kept(run.all_messages())
    assert reader.messages("two") == []
    said = [turn.text for turn in memory.history("one")]
    assert said[0] == "What is this?\nSay."
    assert said[1] == '[calls look] {"at": "it"}'
    assert said[2] == '{"seen": "it", "legs": 4}\nThis:'
    assert said[-1] == "A fox."


async def test_all_that_a_model_answers_comes_back_equal(memory: CompressiveMemory) -> None:
    thought = ThinkingPart("Hm.", id="t", signature="gAAAA", provider_name="openai")
    calls = [
        ToolCallPart("look", None, tool_call_id="1"),
        ToolCallPart("look", '{"not": json', tool_call_id="2"),
        ToolCallPart("look", {"at": ["🦊", None, 1.5]}, tool_call_id="3"),
    ]
    script = Scripted(
        ModelResponse([thought, *calls], usage=RequestUsage(input_tokens=3, details={"x": 1})),
        ModelResponse(
            [TextPart(""), FilePart(IMAGE), TextPart("Yes.", provider_details={"a": None})],
            provider_response_id="p",
            finish_reason="stop",
        ),
    )
    capability = R3Memory[None](memory)
    agent = Agent(script.model, capabilities=[capability])

    @agent.tool_plain
    def look(at: list[Any] | None = None) -> Any:
        return [1, {"a": [IMAGE]}, "text", None, IMAGE] if at else None

    run = await agent.run("", conversation_id="one")
    assert capability.messages("one") == kept(run.all_messages())
    assert len(run.all_messages()) == 4


async def test_streams_and_structured_outputs_are_stored(memory: CompressiveMemory) -> None:
    class Dog(BaseModel):
        name: str

    capability = R3Memory[None](memory)
    agent = Agent(TestModel(custom_output_args={"name": "Biscuit"}), capabilities=[capability])
    run = await agent.run(DOG, output_type=Dog, conversation_id="one")
    assert run.output == Dog(name="Biscuit")
    assert capability.messages("one") == kept(run.all_messages())
    async with agent.run_stream(DOG, conversation_id="two", model=TestModel()) as stream:
        assert await stream.get_output()
    assert capability.messages("two") == kept(stream.all_messages())


async def test_a_history_continues_a_conversation_and_is_not_shown_twice(
    memory: CompressiveMemory,
) -> None:
    script = Scripted("Noted.", "Biscuit.", "Biscuit.")
    capability = R3Memory[None](memory)
    agent = Agent(script.model, capabilities=[capability])
    await agent.run(DOG, conversation_id="one")
    history = capability.messages("one")
    run = await agent.run("What is my dog called?", message_history=history)
    assert script.instructions[1] == ""
    assert len(script.prompts[1]) == 3
    assert capability.messages("one") == kept(run.all_messages())
    await agent.run("What is my dog called?", conversation_id="one")  # without its history
    assert DOG in script.instructions[2]
    assert len(script.prompts[2]) == 1


async def test_a_run_that_waited_for_approval_goes_on(memory: CompressiveMemory) -> None:
    memory.scoped(user="alice").remember("user", DOG)
    script = Scripted(call("look"), "A fox.")
    capability = R3Memory(memory, user_id="alice")
    agent = Agent(script.model, output_type=[str, DeferredToolRequests], capabilities=[capability])

    @agent.tool_plain(requires_approval=True)
    def look() -> str:
        return "Red."

    first = await agent.run("What is my dog called?", conversation_id="one")
    assert isinstance(first.output, DeferredToolRequests)
    [waiting] = first.output.approvals
    run = await agent.run(
        message_history=capability.messages("one", user_id="alice"),
        deferred_tool_results=DeferredToolResults(approvals={waiting.tool_call_id: True}),
    )
    assert run.output == "A fox."
    assert DOG in script.instructions[1]
    assert capability.messages("one", user_id="alice") == kept(run.all_messages())


async def test_what_others_take_out_of_the_history_was_stored(memory: CompressiveMemory) -> None:
    def last(messages: list[ModelMessage]) -> list[ModelMessage]:
        return messages[-1:]

    script = Scripted(call("look"), "A fox.")
    agent = Agent(
        script.model,
        capabilities=[ProcessHistory[object](last), R3Memory(memory)],
    )

    @agent.tool_plain
    def look() -> str:
        return "Red."

    await agent.run("What is it?")
    assert len(script.prompts[1]) == 1
    assert texts(memory, "default") == ["What is it?", "[calls look] {}", "Red.", "A fox."]


async def test_what_expires_is_gone(memory: CompressiveMemory) -> None:
    capability = R3Memory[None](memory, expires=timedelta(milliseconds=500))
    await Agent(Scripted("Noted.").model, capabilities=[capability]).run(DOG, conversation_id="one")
    await asyncio.sleep(0.6)
    assert capability.messages("one") == []


async def test_another_process_sees_the_messages(memory: CompressiveMemory) -> None:
    capability = R3Memory[None](memory, user_id="alice")
    await Agent(Scripted("Noted.").model, capabilities=[capability]).run(DOG, conversation_id="one")
    code = (
        "from pydantic_ai.messages import ModelMessagesTypeAdapter\n"
        "from r3mem_agents import CompressiveMemory\n"
        "from r3mem_pydantic_ai import R3Memory\n"
        "with CompressiveMemory('memory.db') as memory:\n"
        "    messages = R3Memory(memory).messages('one', user_id='alice')\n"
        "    print(ModelMessagesTypeAdapter.dump_json(messages).decode())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [one["parts"][0]["content"] for one in json.loads(done.stdout)] == [DOG, "Noted."]
