"""What a model notes stands between the messages of a conversation, and is none of them."""

from __future__ import annotations

import pytest

from r3mem_agents import CompressiveMemory

DOG = "My dog is called Biscuit."
NOTES = ["He is brown.", "He likes rain.", "He is two."]
QUESTION = "What is my dog called?"


async def test_openai_agents_are_shown_no_message_twice(memory: CompressiveMemory) -> None:
    pytest.importorskip("agents")
    from agents import Agent, RunConfig, Runner, set_tracing_disabled
    from agents.testing import ScriptedModel, assistant_message, function_call

    from r3mem_openai_agents import R3Session, as_tools, recall_filter

    set_tracing_disabled(True)
    notes = [
        function_call("remember", {"text": note}, call_id=str(number))
        for number, note in enumerate(NOTES)
    ]
    answers = [[assistant_message(text)] for text in ("Noted.", "Biscuit.")]
    session = R3Session(memory, "s")
    model = ScriptedModel([notes, *answers])
    agent = Agent("helper", model=model, tools=[*as_tools(session)])
    config = RunConfig(call_model_input_filter=recall_filter(session))
    for said in (DOG, QUESTION):
        await Runner.run(agent, said, session=session, run_config=config)
    assert model.last_call is not None
    assert str(model.last_call.input).count(DOG) == 1
    assert DOG not in str(model.last_call.system_instructions)


async def test_pydantic_ai_is_shown_no_message_twice(memory: CompressiveMemory) -> None:
    pytest.importorskip("pydantic_ai")
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelResponse, ToolCallPart

    from r3mem_pydantic_ai import R3Memory
    from tests.hosts.pydantic_ai_model import Scripted

    notes = [ToolCallPart("remember", {"text": note}, tool_call_id=note) for note in NOTES]
    script = Scripted(ModelResponse(notes), "Noted.", "Biscuit.")
    capability = R3Memory(memory)
    agent = Agent(script.model, capabilities=[capability])
    await agent.run(DOG, conversation_id="s")
    history = await capability.amessages("s")
    await agent.run(QUESTION, conversation_id="s", message_history=history)
    assert str(script.prompts[-1]).count(DOG) == 1
    assert DOG not in script.instructions[-1]


async def test_agent_framework_has_no_note_in_its_history(memory: CompressiveMemory) -> None:
    pytest.importorskip("agent_framework")
    from agent_framework import Message

    from r3mem_agent_framework import R3HistoryProvider
    from r3mem_agents.prompts import memory_tools, place_of

    place = place_of(memory, user=None, session="s")
    remember, *_ = memory_tools(lambda: place, call=lambda: "call-1")
    history = R3HistoryProvider(memory)
    await history.save_messages("s", [Message("user", [DOG])])
    remember(NOTES[0])
    await history.save_messages("s", [Message("user", [QUESTION])])
    assert [one.text for one in await history.get_messages("s")] == [DOG, QUESTION]
    assert memory.recall("brown")[0].text == NOTES[0]
