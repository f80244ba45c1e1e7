"""Each adapter: what it writes may expire and be pinned; lookups have conditions and a time."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_langchain import (
    R3ChatMessageHistory,
    R3Memory,
    R3MemoryMiddleware,
    R3Retriever,
    as_tools,
)
from tests.conftest import OpenMemory
from tests.langchain.models import EchoModel, calls, scripted

MARCH, MAY = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
DAYS = timedelta(days=30)
BY_YOU = {"metadata.by": "you"}


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    memory = open_memory(user="alice", session="today")
    about = {"by": "me", "tags": ["a", "b"], "at": {"home": True}}
    memory.remember_many(
        [
            Turn(role="user", text="Biscuit barks.", session="a", time=MARCH, metadata=about),
            Turn(role="user", text="Biscuit runs.", session="a", time=MAY, metadata={"by": "you"}),
        ]
    )
    return memory


def said(graph: Any, text: str, thread: str = "t") -> list[BaseMessage]:
    config = {"configurable": {"thread_id": thread}}
    found: list[BaseMessage] = graph.invoke({"messages": [HumanMessage(text)]}, config)["messages"]
    return found


def by_middleware(memory: CompressiveMemory, **options: Any) -> str:
    graph: Any = create_agent(
        model := EchoModel(), middleware=[R3MemoryMiddleware(memory, **options)]
    )
    said(graph, "Biscuit?")
    return "".join(message.text for message in model.asked[0])


def by_classic(memory: CompressiveMemory, **options: Any) -> str:
    shown = R3Memory(memory=memory, **options).load_memory_variables({"input": "Biscuit?"})
    return str(shown["history"])


def by_tool(memory: CompressiveMemory, **options: Any) -> str:
    return str(as_tools(memory, **options)[1].invoke({"query": "Biscuit?"}))


def by_retriever(memory: CompressiveMemory, **options: Any) -> str:
    found = R3Retriever(memory=memory, **options).invoke("Biscuit?")
    return "".join(document.page_content for document in found)


def by_question(memory: CompressiveMemory, **options: Any) -> str:
    found = R3Retriever(memory=memory, where={"role": "tool"}).invoke(
        "Biscuit?", where=options.pop("where", None), **options
    )
    return "".join(document.page_content for document in found)


Reader = Callable[..., str]
READERS = [by_middleware, by_classic, by_tool, by_retriever, by_question]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, {"barks", "runs"}),
        ({"where": BY_YOU}, {"runs"}),
        ({"where": {"metadata.tags": ["a", "b"]}}, {"barks"}),
        ({"where": {"metadata.at.home": True}}, {"barks"}),
        ({"where": {"metadata.at": {"home": True}, "session": "a"}}, {"barks"}),
        ({"where": {"metadata.tags": None}}, {"runs"}),
        ({"where": {"metadata.nowhere.at.all": {"$ne": None}}}, set()),
        ({"where": {}}, {"barks", "runs"}),
        ({"as_of": MARCH}, {"barks"}),
        ({"as_of": MARCH, "where": BY_YOU}, set()),
    ],
)
def test_a_lookup_keeps_to_its_conditions_and_its_time(
    memory: CompressiveMemory, read: Reader, options: dict[str, Any], found: set[str]
) -> None:
    shown = read(memory, **options)
    assert {word for word in ("barks", "runs") if word in shown} == found


ADAPTERS: list[Any] = [
    R3MemoryMiddleware,
    as_tools,
    lambda memory, **options: R3Memory(memory=memory, **options),
    lambda memory, **options: R3Retriever(memory=memory, **options),
    R3ChatMessageHistory,
]
LOOKUPS, WRITES = ADAPTERS[:4], [*ADAPTERS[:3], ADAPTERS[4]]


@pytest.mark.parametrize("adapter", LOOKUPS)
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"where": {"by": "you"}}, "where has 'by'; a turn has metadata.KEY"),
        ({"where": {"metadata.by": {"$in": ["you"]}}}, r"where has '\$in'"),
        ({"where": {"metadata.by": MAY}}, "where must be what JSON can hold"),
        ({"as_of": datetime(2026, 5, 1)}, "as_of .* has no time zone"),
    ],
)
def test_what_no_lookup_takes_is_refused_at_once(
    memory: CompressiveMemory, adapter: Any, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):  # pydantic's, where the host has models
        adapter(memory, **options)


@pytest.mark.parametrize("adapter", WRITES)
def test_what_no_write_takes_is_refused_at_once(memory: CompressiveMemory, adapter: Any) -> None:
    for expires in (timedelta(), timedelta(days=10**7), "soon"):
        with pytest.raises(ValueError, match="expires|duration|number of days"):
            adapter(memory, expires=expires)


async def test_a_question_may_have_each_option_of_a_lookup(memory: CompressiveMemory) -> None:
    retriever = R3Retriever(memory=memory, k=1)
    found: list[Document] = retriever.invoke("Biscuit?", as_of=MARCH, k=5, explain=True)
    assert [document.page_content for document in found] == ["Biscuit barks."]
    assert await retriever.ainvoke("Biscuit?", as_of=MARCH, k=5, explain=True) == found
    for options, reason in (({"wehre": {}}, "no option 'wehre'"), ({"where": {"x": 1}}, "has 'x'")):
        with pytest.raises(InvalidInputError, match=reason):
            retriever.invoke("Biscuit?", **options)
        with pytest.raises(InvalidInputError, match=reason):
            await retriever.ainvoke("Biscuit?", **options)


def test_what_a_message_has_beside_its_words_can_be_asked_for(open_memory: OpenMemory) -> None:
    memory = open_memory(session="s")
    R3ChatMessageHistory(memory).add_messages(
        [
            HumanMessage("Biscuit barks.", additional_kwargs={"channel": "mail"}),
            HumanMessage("Biscuit runs.", additional_kwargs={"channel": "chat"}),
        ]
    )
    where = {"metadata.langchain.fields.additional_kwargs.channel": "mail"}
    found = R3Retriever(memory=memory, where=where).invoke("Biscuit?")
    assert [document.page_content for document in found] == ["Biscuit barks."]


# What is written ----------------------------------------------------------------------------------


def lives(turn: StoredTurn, since: datetime) -> bool:
    """Whether a turn that was written since then lives for ``DAYS``."""
    return turn.expires is not None and since + DAYS <= turn.expires <= datetime.now(UTC) + DAYS


def test_everything_that_is_written_expires(open_memory: OpenMemory) -> None:
    memory, since = open_memory(), datetime.now(UTC)
    model = scripted(calls("remember", "c1", text="Noted."), "Done.")
    tools = as_tools(memory, expires=DAYS)
    graph: Any = create_agent(model, tools, middleware=[R3MemoryMiddleware(memory, expires=DAYS)])
    said(graph, "My dog is called Biscuit.", "an agent's")
    R3Memory(memory=memory.scoped(session="a chain's"), expires=DAYS).save_context(
        {"input": "Hello."}, {"output": "Hi."}
    )
    history = R3ChatMessageHistory(memory, "a history's", expires=DAYS)
    history.add_messages([HumanMessage("Hello."), AIMessage("Hi.")])
    turns = memory.history()
    assert len(turns) == 9
    assert all(lives(turn, since) for turn in turns)


def test_what_the_host_edits_lives_as_long_again(open_memory: OpenMemory) -> None:
    memory = open_memory()
    middleware = R3MemoryMiddleware(memory, expires=DAYS)
    graph: Any = create_agent(EchoModel(), middleware=[middleware], checkpointer=InMemorySaver())
    first = said(graph, "My dog is called Bisquit.")[0]
    before = memory.history()
    edited = datetime.now(UTC)
    config = {"configurable": {"thread_id": "t"}}
    graph.update_state(config, {"messages": [HumanMessage("It is Biscuit.", id=first.id)]})
    said(graph, "And now?")
    turn, answer, *_ = memory.history()
    assert (turn.id, turn.text) == (before[0].id, "It is Biscuit.")
    assert lives(turn, edited)
    assert answer == before[1]


def test_an_expired_turn_is_gone_and_the_conversation_goes_on(open_memory: OpenMemory) -> None:
    memory = open_memory()
    saver = InMemorySaver()
    brief, lasting = (
        create_agent(EchoModel(), middleware=[middleware], checkpointer=saver)
        for middleware in (
            R3MemoryMiddleware(memory, expires=timedelta(milliseconds=300)),
            R3MemoryMiddleware(memory),
        )
    )
    said(brief, "My dog is called Biscuit.")
    while memory.history():
        time.sleep(0.02)
    shown = said(lasting, "Hello.")
    assert shown[0].text == "My dog is called Biscuit.", "the host's own copy is the host's"
    assert [turn.text for turn in memory.history()] == ["Hello.", "You said: Hello."]


def test_copies_of_a_history_write_as_it_does(tmp_path: Path) -> None:
    with CompressiveMemory(tmp_path / "h.db") as memory:
        again = pickle.loads(pickle.dumps(R3ChatMessageHistory(memory, "s", expires=DAYS)))
        assert (again.expires, again.memory.session) == (DAYS, "s")
        again.memory.close()


# What is pinned -----------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [by_middleware, by_classic])
def test_what_a_tool_pins_every_prompt_has(open_memory: OpenMemory, read: Reader) -> None:
    memory = open_memory(user="alice")
    turn = memory.remember("user", "I must not eat nuts.", session="before", expires=DAYS)
    pin = as_tools(memory)[3]
    assert "nuts" not in read(memory)
    assert pin.invoke({"turn_ids": [turn.id]}) == "Pinned 1 turns."
    assert read(memory).count("nuts") == 1
    assert "nuts" not in read(memory, where=BY_YOU)
    assert pin.invoke({"turn_ids": [turn.id], "pinned": False}) == "Unpinned 1 turns."
    assert "nuts" not in read(memory)


def test_a_message_is_pinned_by_its_id(open_memory: OpenMemory) -> None:
    memory = open_memory(session="s")
    R3ChatMessageHistory(memory).add_messages([HumanMessage("I must not eat nuts.", id="m1")])
    memory.pin(memory.turn_ids(keys=["m1"]))
    [turn] = memory.history()
    assert turn.pinned
