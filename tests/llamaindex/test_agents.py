"""R3Memory in the host's agents, streamed and not, and in a Context that is written as JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.memory import Memory
from llama_index.core.workflow import Context, JsonSerializer

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import StoreUnavailableError
from r3mem_llamaindex import R3Memory, R3MemoryBlock
from tests.llamaindex.scripted import Scripted

BISCUIT = "My dog is called Biscuit."
QUESTION = "What is my dog called?"


def weather(city: str) -> str:
    """How warm it is in a city."""
    return f"It is 22 degrees in {city}."


def calls_a_tool(messages: Sequence[ChatMessage]) -> ChatMessage:
    """Call the tool at each question, and answer by its result."""
    last = messages[-1]
    if last.role == "user":
        call = ToolCallBlock(
            tool_call_id="call-1", tool_name="weather", tool_kwargs={"city": "Lisbon"}
        )
        return ChatMessage(role="assistant", blocks=[call])
    return ChatMessage(role="assistant", content=f"Answer by {last.content}")


def reacts(messages: Sequence[ChatMessage]) -> ChatMessage:
    last = str(messages[-1].content)
    text = (
        f"Thought: I know.\nAnswer: Answer by {last.removeprefix('Observation: ')}"
        if last.startswith("Observation:")
        else 'Thought: I look.\nAction: weather\nAction Input: {"city": "Lisbon"}'
    )
    return ChatMessage(role="assistant", content=text)


Agent = Any
AGENTS: dict[str, Callable[[bool], tuple[Agent, Scripted]]] = {
    "function": lambda streaming: _agent(FunctionAgent, calls_a_tool, streaming),
    "function with a prompt": lambda streaming: _agent(
        FunctionAgent, calls_a_tool, streaming, system_prompt="Be kind."
    ),
    "react": lambda streaming: _agent(ReActAgent, reacts, streaming),
    "react with a prompt": lambda streaming: _agent(
        ReActAgent, reacts, streaming, system_prompt="Be kind."
    ),
    "workflow": lambda streaming: _workflow(FunctionAgent, calls_a_tool, streaming),
    "workflow of react": lambda streaming: _workflow(ReActAgent, reacts, streaming),
}


def _agent(kind: Any, reply: Any, streaming: bool, **options: Any) -> tuple[Agent, Scripted]:
    llm = Scripted(reply)
    return kind(tools=[weather], llm=llm, streaming=streaming, **options), llm


def _workflow(kind: Any, reply: Any, streaming: bool) -> tuple[Agent, Scripted]:
    agent, llm = _agent(kind, reply, streaming, name="a", description="Knows the weather.")
    return AgentWorkflow(agents=[agent], root_agent="a"), llm


@pytest.fixture(params=AGENTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def said(memory: R3Memory) -> list[tuple[str, str]]:
    turns = memory.memory.history()
    return [(turn.role, turn.text) for turn in turns if turn.session == memory.session]


def exchange(name: str, question: str) -> list[tuple[str, str]]:
    """What a run stores: the question, the steps in between, the answer."""
    if "react" in name:
        steps = (
            "Thought: I look.\nAction: weather\nAction Input: {'city': 'Lisbon'}\n"
            "Observation: It is 22 degrees in Lisbon.\n"
            "Thought: I know.\nAnswer: Answer by It is 22 degrees in Lisbon."
        )
        return [("user", question), ("assistant", steps)]
    return [
        ("user", question),
        ("assistant", '[calls weather] {"city": "Lisbon"}'),
        ("tool", "It is 22 degrees in Lisbon."),
        ("assistant", "Answer by It is 22 degrees in Lisbon."),
    ]


async def run(agent: Agent, question: str | ChatMessage, **options: Any) -> str:
    handler = agent.run(user_msg=question, **options)
    async for _ in handler.stream_events():
        pass
    return str(await handler)


@pytest.mark.parametrize("streaming", [True, False])
async def test_an_agent_remembers_across_sessions(
    memory: CompressiveMemory, name: str, streaming: bool
) -> None:
    agent, llm = AGENTS[name](streaming)
    first = R3Memory.from_memory(memory, session="first")
    for question in (BISCUIT, "Yes.", "Yes."):
        answer = await run(agent, question, memory=first)
        assert answer == "Answer by It is 22 degrees in Lisbon."
    expected = exchange(name, BISCUIT) + 2 * exchange(name, "Yes.")
    assert said(first) == expected

    before = len(llm.prompts)
    second = R3Memory.from_memory(memory, session="second")
    await run(agent, QUESTION, memory=second)
    for prompt in llm.prompts[before:]:  # at each step
        text = "\n".join(str(message.content) for message in prompt)
        assert text.count(f"] user: {BISCUIT}") == 1
        assert text.count(QUESTION) == 1
    assert said(second) == exchange(name, QUESTION)


def test_tool_messages_come_back_as_they_were(memory: CompressiveMemory) -> None:
    r3 = R3Memory.from_memory(memory)
    question = ChatMessage(content="How warm is it?")
    call = calls_a_tool([question])
    result = ChatMessage(role="tool", content="22", additional_kwargs={"tool_call_id": "call-1"})
    r3.put_messages([question, call, result])
    assert r3.get() == [question, call, result]


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_context_written_as_json_goes_on(
    where: dict[str, Any], name: str, streaming: bool
) -> None:
    agent, _ = AGENTS[name](streaming)
    memory = R3Memory(**where, user="alice", session="s", token_limit=2000)
    context = Context(agent)
    await run(agent, BISCUIT, memory=memory, ctx=context)
    written = context.to_dict(serializer=JsonSerializer())
    memory.memory.close()

    again, llm = AGENTS[name](streaming)
    restored = Context.from_dict(again, written, serializer=JsonSerializer())
    await run(again, "Yes.", ctx=restored)
    reopened = await restored.store.get("memory")
    assert isinstance(reopened, R3Memory)
    assert (reopened.user, reopened.session, reopened.token_limit) == ("alice", "s", 2000)
    assert len(said(reopened)) == 2 * len(exchange(name, ""))
    assert BISCUIT in str(llm.prompts[-1])


async def test_a_history_given_to_each_run_is_stored_once(
    memory: CompressiveMemory, name: str
) -> None:
    history: list[ChatMessage] = []
    for question in (BISCUIT, "Yes.", "Yes."):
        agent, _ = AGENTS[name](True)
        r3 = R3Memory.from_memory(memory, session="s")
        copies = [ChatMessage.model_validate_json(m.model_dump_json()) for m in history]
        await run(agent, question, memory=r3, chat_history=copies)
        history = r3.get_all()
        assert len(said(r3)) == len(history)
    assert len(history) == 3 * len(exchange(name, ""))


async def test_a_run_that_is_tried_again_stores_its_question_once(
    memory: CompressiveMemory, name: str
) -> None:
    r3 = R3Memory.from_memory(memory, session="s")
    question = ChatMessage(role="user", content=BISCUIT)
    broken, _ = AGENTS[name](False)
    failing = Scripted(lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    for agent in getattr(broken, "agents", {"": broken}).values():
        agent.llm = failing
    with pytest.raises(ZeroDivisionError):
        await broken.run(user_msg=question, memory=r3)
    agent, _ = AGENTS[name](False)
    await run(agent, question, memory=r3)
    assert len(said(r3)) == len(exchange(name, BISCUIT))


@pytest.mark.parametrize("on_error", ["raise", "log"])
async def test_an_agent_whose_memory_is_gone(
    memory: CompressiveMemory, name: str, on_error: Any, caplog: pytest.LogCaptureFixture
) -> None:
    agent, llm = AGENTS[name](True)
    r3 = R3Memory.from_memory(memory, on_error=on_error)
    memory.close()
    if on_error == "raise":
        with pytest.raises(StoreUnavailableError):
            await agent.run(user_msg="Hello.", memory=r3)
        return
    with caplog.at_level(logging.ERROR, "r3mem_llamaindex"):
        assert await run(agent, "Hello.", memory=r3) == "Answer by It is 22 degrees in Lisbon."
    assert "Hello." in str(llm.prompts[-1])
    assert caplog.records


async def test_agents_that_hand_over_share_a_memory(memory: CompressiveMemory) -> None:
    def hands_over(messages: Sequence[ChatMessage]) -> ChatMessage:
        if messages[-1].role == "user":
            arguments = {"to_agent": "second", "reason": "It knows."}
            call = ToolCallBlock(tool_call_id="h", tool_name="handoff", tool_kwargs=arguments)
            return ChatMessage(role="assistant", blocks=[call])
        return ChatMessage(role="assistant", content="unused")

    one, other = (
        Scripted(hands_over),
        Scripted(lambda messages: ChatMessage(role="assistant", content="I am the second.")),
    )
    workflow = AgentWorkflow(
        agents=[
            FunctionAgent(name="first", description="1", llm=one, can_handoff_to=["second"]),
            FunctionAgent(name="second", description="2", llm=other),
        ],
        root_agent="first",
    )
    memory.remember("user", BISCUIT, session="earlier")
    r3 = R3Memory.from_memory(memory, session="s")
    assert await run(workflow, QUESTION, memory=r3) == "I am the second."
    [prompt] = other.prompts
    assert str(prompt).count("Biscuit") == 1
    roles = [message.role.value for message in prompt]
    assert roles[:3] == ["user", "assistant", "tool"]
    assert [role for role, _ in said(r3)] == ["user", "assistant", "tool", "assistant"]


async def test_state_is_written_into_the_prompt_and_not_into_the_memory(
    memory: CompressiveMemory,
) -> None:
    agent, llm = _agent(FunctionAgent, calls_a_tool, False, initial_state={"mood": "good"})
    r3 = R3Memory.from_memory(memory, session="s")
    for _ in range(2):
        await run(agent, "Hello.", memory=r3)
    assert ["{'mood': 'good'}" in str(prompt) for prompt in llm.prompts] == [True, False] * 2
    assert said(r3) == 2 * exchange("function", "Hello.")


async def test_an_agent_with_the_hosts_memory_and_the_block(
    where: dict[str, Any], tmp_path: Path
) -> None:
    block = R3MemoryBlock(**where, user="alice")
    for session, question in (("first", BISCUIT), ("second", QUESTION)):
        agent, llm = AGENTS["function with a prompt"](True)
        host = Memory.from_defaults(session_id=session, memory_blocks=[block])
        await run(agent, question, memory=host)
        stored = [(turn.role, turn.text) for turn in block.memory.history(session)]
        assert stored == exchange("function", question)
    for prompt in llm.prompts:
        assert str(prompt).count(f"] user: {BISCUIT}") == 1
