"""Agents of Microsoft Agent Framework with a memory, under the host's own agent and sessions."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest

pytest.importorskip("agent_framework")

from agent_framework import (
    Agent,
    AgentSession,
    Content,
    Message,
    WorkflowBuilder,
    tool,
)

from r3mem_agent_framework import R3ContextProvider, R3HistoryProvider
from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError
from tests.hosts.agent_framework_client import Scripted, calls, dicts

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'integrations'}"}


def texts(memory: CompressiveMemory, session: str | None = None) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in memory.history(session)]


async def test_a_session_goes_on_in_another_process(memory: CompressiveMemory) -> None:
    client = Scripted("Hello Ann.", "Your dog is Biscuit.")
    agent = Agent(client, name="helper", context_providers=[R3HistoryProvider(memory)])
    session = agent.create_session()
    await agent.run("I am Ann, my dog is Biscuit.", session=session)
    stored = json.dumps(session.to_dict())
    assert "Biscuit" not in stored
    code = (
        "import asyncio, json, sys\n"
        "from agent_framework import AgentSession\n"
        "from r3mem_agents import CompressiveMemory\n"
        "from r3mem_agent_framework import R3HistoryProvider\n"
        "session = AgentSession.from_dict(json.loads(sys.argv[1]))\n"
        "history = R3HistoryProvider(CompressiveMemory('memory.db', user='alice'))\n"
        "found = asyncio.run(history.get_messages(session.session_id))\n"
        "print(json.dumps([message.to_dict() for message in found]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, stored],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    messages = [Message.from_dict(one) for one in json.loads(done.stdout)]
    assert [(one.role, one.text, one.author_name) for one in messages] == [
        ("user", "I am Ann, my dog is Biscuit.", None),
        ("assistant", "Hello Ann.", "helper"),
    ]
    restored = AgentSession.from_dict(json.loads(stored))
    await agent.run("Who is my dog?", session=restored)
    assert [message.text for message in client.prompts[-1][1]] == [
        "I am Ann, my dog is Biscuit.",
        "Hello Ann.",
        "Who is my dog?",
    ]


def weather(city: Annotated[str, "The city."]) -> str:
    """The weather in a city."""
    return f"Rain in {city}."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("per_call", [False, True])
async def test_a_turn_with_tools_is_kept_and_read_again(
    memory: CompressiveMemory, stream: bool, per_call: bool
) -> None:
    client = Scripted(calls("weather", city="Oslo"), "Take a coat.", "Rain.")
    agent = Agent(
        client,
        tools=[weather],
        context_providers=[R3HistoryProvider(memory)],
        require_per_service_call_history_persistence=per_call,
    )
    session = agent.create_session(session_id="s")

    async def run(text: str) -> None:
        if stream:
            async for _ in agent.run(text, session=session, stream=True):
                pass
        else:
            await agent.run(text, session=session)

    await run("What shall I wear in Oslo?")
    assert texts(memory, "s") == [
        ("user", "What shall I wear in Oslo?"),
        ("assistant", '[calls weather] {"city": "Oslo"}'),
        ("tool", "Rain in Oslo."),
        ("assistant", "Take a coat."),
    ]
    await run("And why?")
    assert len(client.prompts[-1][1]) == 5
    assert len(texts(memory, "s")) == 6


@pytest.mark.parametrize("provider", [R3HistoryProvider, R3ContextProvider])
async def test_a_stream_that_is_closed_leaves_what_was_said(
    memory: CompressiveMemory, provider: Any
) -> None:
    said = Message("assistant", [Content.from_text(f"{number} ") for number in range(5)])
    agent = Agent(Scripted(said), context_providers=[provider(memory)])
    stream = agent.run("Count.", session=agent.create_session(session_id="s"), stream=True)
    async for _ in stream:
        break
    await stream.close()
    assert texts(memory, "s") == [("user", "Count."), ("assistant", "0 ")]


@tool(approval_mode="always_require")
def pay(amount: int) -> str:
    """Pay."""
    return f"Paid {amount}."


async def test_a_run_that_waits_for_approval_goes_on_in_a_restored_session(
    memory: CompressiveMemory,
) -> None:
    client = Scripted(calls("pay", amount=3), "Done.", "Yes.")
    providers = [R3HistoryProvider(memory), R3ContextProvider(memory)]
    agent = Agent(client, tools=[pay], context_providers=providers)
    session = agent.create_session(session_id="s")
    [request] = (await agent.run("Pay 3.", session=session)).user_input_requests
    restored = AgentSession.from_dict(json.loads(json.dumps(session.to_dict())))
    approval = Message("user", [request.to_function_approval_response(True)])
    assert (await agent.run(approval, session=restored)).text == "Done."
    await agent.run("Is it paid?", session=restored)
    shown = [
        (one.role, [content.type for content in one.contents]) for one in client.prompts[-1][1]
    ]
    assert shown == [
        ("user", ["text"]),
        ("assistant", ["function_call"]),
        ("tool", ["function_result"]),
        ("assistant", ["text"]),
        ("user", ["text"]),
    ]


async def test_agents_of_a_workflow_are_not_shown_twice_what_was_said(
    memory: CompressiveMemory,
) -> None:
    memory.remember("user", "The list is for Zoe.", session="old")
    context = R3ContextProvider(memory)
    planner = Agent(Scripted("Milk for Zoe."), name="planner", context_providers=[context])
    client = Scripted("Good.")
    critic = Agent(client, name="critic", context_providers=[context])
    workflow = WorkflowBuilder(start_executor=planner).add_edge(planner, critic).build()
    await workflow.run("A list for Zoe, please.")
    instructions, messages = client.prompts[0]
    assert "The list is for Zoe." in instructions
    assert "please" not in instructions
    assert "Milk" not in instructions
    assert [one.text for one in messages] == ["A list for Zoe, please.", "Milk for Zoe."]


async def test_what_is_repeated_is_kept_and_what_is_resent_is_not(
    memory: CompressiveMemory,
) -> None:
    history = R3HistoryProvider(memory)
    exchange = [Message("user", ["Yes."]), Message("assistant", ["Fine."])]
    for _ in range(2):
        await history.save_messages("s", exchange)
    assert len(await history.get_messages("s")) == 4
    more = [Message("user", ["Why?"]), Message("assistant", ["So."])]
    await history.save_messages("s", [*exchange, *exchange, *more])
    assert dicts(await history.get_messages("s")) == dicts([*exchange, *exchange, *more])
    await history.save_messages("s", more[:1])
    assert len(await history.get_messages("s")) == 7


async def test_recall_from_earlier_sessions(memory: CompressiveMemory) -> None:
    client = Scripted("Nice.", "Biscuit.", "In Graz.")
    agent = Agent(client, instructions="Be brief.", context_providers=[R3ContextProvider(memory)])
    await agent.run("My dog is called Biscuit.", session=agent.create_session(session_id="a"))
    session = agent.create_session(session_id="b")
    await agent.run("What is my dog called?", session=session)
    instructions, messages = client.prompts[-1]
    assert instructions.startswith("Be brief.\n<recalled_memory>\n")
    assert "My dog is called Biscuit." in instructions
    assert [message.text for message in messages] == ["What is my dog called?"]
    assert texts(memory, "b") == [("user", "What is my dog called?"), ("assistant", "Biscuit.")]
    await agent.run("Is my dog called Biscuit?", session=session)
    assert client.prompts[-1][0].count("What is my dog called?") == 0  # a message shows it


async def test_what_the_host_no_longer_shows_is_recalled(memory: CompressiveMemory) -> None:
    client = Scripted("Nice.", "Biscuit.")
    agent = Agent(client, context_providers=[R3ContextProvider(memory)])
    session = agent.create_session(session_id="a")
    await agent.run("My dog is called Biscuit.", session=session)
    session.state["in_memory"]["messages"].clear()  # as a compaction does
    await agent.run("What is my dog called?", session=session)
    assert "My dog is called Biscuit." in client.prompts[-1][0]


@pytest.mark.parametrize("first", [0, 1])
async def test_both_providers_store_once(memory: CompressiveMemory, first: int) -> None:
    providers: list[Any] = [R3HistoryProvider(memory), R3ContextProvider(memory)]
    client = Scripted("Nice.", "Biscuit.", "Yes.")
    agent = Agent(client, context_providers=[providers[first], providers[1 - first]])
    for session_id in ("a", "b"):
        session = agent.create_session(session_id=session_id)
        await agent.run("What is my dog called?", session=session)
    assert len(texts(memory, "a")) == len(texts(memory, "b")) == 2


async def test_what_is_recalled_is_not_stored(memory: CompressiveMemory) -> None:
    memory.remember("user", "My dog is called Biscuit.", session="old")
    kept = R3HistoryProvider(memory, store_context_messages=True)
    client = Scripted("Biscuit.")
    agent = Agent(client, context_providers=[R3ContextProvider(memory), kept])
    await agent.run("What is my dog called?", session=agent.create_session(session_id="s"))
    assert "called Biscuit" in client.prompts[0][0]
    assert len(texts(memory, "s")) == 2


async def test_a_history_that_is_sent_along_is_not_stored_again(
    memory: CompressiveMemory,
) -> None:
    agent = Agent(Scripted("Biscuit."), context_providers=[R3ContextProvider(memory)])
    sent = [
        Message("system", ["Be brief."]),
        Message("user", ["My dog is called Biscuit."]),
        Message("assistant", ["Nice."]),
        Message("user", ["What is my dog called?"]),
    ]
    await agent.run(sent, session=agent.create_session(session_id="s"))
    assert texts(memory, "s") == [("user", "What is my dog called?"), ("assistant", "Biscuit.")]


async def test_users_and_sessions_are_apart() -> None:
    with CompressiveMemory("memory.db") as memory:
        history = R3HistoryProvider(memory)
        client = Scripted(*["Fine."] * 9)
        agent = Agent(client, context_providers=[history, R3ContextProvider(memory)])

        async def run(text: str, session_id: str, user: str | None) -> str:
            session = agent.create_session(session_id=session_id)
            if user is not None:
                session.state["user_id"] = user
            await agent.run(text, session=AgentSession.from_dict(session.to_dict()))
            return client.prompts[-1][0] + str([one.text for one in client.prompts[-1][1][:-1]])

        for user in ("alice", "bob", None):
            await run(f"The secret of {user}.", "s", user)
        assert "secret of alice" in await run("What secret?", "t", "alice")
        assert "of bob" not in await run("What is the secret?", "t", "alice")
        assert "of None" not in await run("What secret?", "u", None)  # nobody is named
        assert "of None" in await run("Say the secret.", "s", None)
        with pytest.raises(InvalidInputError, match="user_id is empty"):
            await run("Hello.", "s", "")


async def test_sessions_at_once(memory: CompressiveMemory) -> None:
    history = R3HistoryProvider(memory)

    async def talk(number: int) -> list[str]:
        client = Scripted(*(f"{number}.{turn}" for turn in range(3)))
        agent = Agent(client, context_providers=[history, R3ContextProvider(memory)])
        session = agent.create_session(session_id=str(number))
        for turn in range(3):
            await agent.run(f"I say {number}.{turn}", session=session)
        return [one.text for one in await history.get_messages(str(number))]

    for number, said in enumerate(await asyncio.gather(*map(talk, range(6)))):
        assert said == [
            text for turn in range(3) for text in (f"I say {number}.{turn}", f"{number}.{turn}")
        ]


async def test_several_agents_in_one_session_have_names(memory: CompressiveMemory) -> None:
    session = AgentSession(session_id="s")
    for name in ("planner", "critic"):
        agent = Agent(
            Scripted(f"I am {name}."), name=name, context_providers=[R3HistoryProvider(memory)]
        )
        await agent.run("Who?", session=session)
    assert [turn.name for turn in memory.history("s")] == [None, "planner", None, "critic"]
