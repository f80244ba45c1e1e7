"""Agents of Microsoft Agent Framework with a memory, under the host's own agent and sessions."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest

pytest.importorskip("agent_framework")

from agent_framework import (
    Agent,
    AgentSession,
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
)

from r3mem_agent_framework import R3ContextProvider, R3HistoryProvider
from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, R3MemError

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'integrations'}"}


class Scripted(FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], BaseChatClient[Any]):
    """Answers from a script, and keeps what it was shown."""

    def __init__(self, *answers: str | Message) -> None:
        super().__init__()
        self.answers = list(answers)
        self.prompts: list[tuple[str, list[Message]]] = []

    def _inner_get_response(
        self,
        *,
        messages: Sequence[Message],
        stream: bool,
        options: Mapping[str, Any],
        **kwargs: Any,
    ) -> Awaitable[ChatResponse[Any]] | ResponseStream[ChatResponseUpdate, ChatResponse[Any]]:
        self.prompts.append((options.get("instructions") or "", list(messages)))
        answer = self.answers.pop(0)
        message = answer if isinstance(answer, Message) else Message("assistant", [answer])
        if stream:
            return self._build_response_stream(self._updates(message))
        return self._whole(message)

    async def _whole(self, message: Message) -> ChatResponse[Any]:
        return ChatResponse(messages=[message])

    async def _updates(self, message: Message) -> Any:
        for content in message.contents:
            yield ChatResponseUpdate(role="assistant", contents=[content])


def calls(name: str, **arguments: Any) -> Message:
    call = Content.from_function_call("c1", name, arguments=json.dumps(arguments))
    return Message("assistant", [call])


HELLO = [Message("user", ["Hello."]), Message("assistant", ["Hi."])]


def dicts(messages: Sequence[Message]) -> list[dict[str, Any]]:
    return [message.to_dict() for message in messages]


@pytest.fixture
def memory() -> Iterator[CompressiveMemory]:
    with CompressiveMemory("memory.db", user="alice") as memory:
        yield memory


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
