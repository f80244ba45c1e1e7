"""Users and threads never see each other, however their runs are interleaved."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import ToolException
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.base import GetOp, PutOp

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError
from r3mem_langchain import (
    R3ChatMessageHistory,
    R3Memory,
    R3MemoryMiddleware,
    R3Retriever,
    R3Store,
    as_tools,
)
from tests.conftest import OpenMemory
from tests.langchain.models import EchoModel
from tests.memory.fake_model import FakeModel

USERS = ["alice", "bob"]
RUNS = st.lists(st.tuples(st.sampled_from(USERS), st.sampled_from(["s", "t"])), max_size=8)


@dataclass
class Context:
    user_id: str


@given(rounds=st.lists(RUNS, max_size=3), mode=st.sampled_from(["tasks", "threads"]))
@settings(max_examples=25)
@pytest.mark.parametrize("saved", [False, True])
def test_nothing_crosses(rounds: list[list[tuple[str, str]]], mode: str, saved: bool) -> None:
    fake: Any = FakeModel()
    model = EchoModel()
    expected: dict[tuple[str, str], list[str]] = defaultdict(list)
    with CompressiveMemory(":memory:", model=fake) as memory:
        graph: Any = create_agent(
            model,
            middleware=[R3MemoryMiddleware(memory, k=50, token_budget=10_000)],
            context_schema=Context,
            checkpointer=InMemorySaver() if saved else None,
        )
        for number, runs in enumerate(rounds):
            given: list[tuple[Any, ...]] = []
            for user, thread in dict.fromkeys(runs):  # a thread has one run at a time
                text = f"secret number {number} of {user} in {thread}"
                expected[user, thread] += [text, f"You said: {text}"]
                config = {"configurable": {"thread_id": f"{user}-{thread}"}}
                given.append(({"messages": [HumanMessage(text)]}, config, Context(user)))
            run_all(graph, given, mode)
        for user in USERS:
            mine = memory.scoped(user=user)
            for thread in ("s", "t"):
                told = [t.text for t in mine.history() if t.session == f"{user}-{thread}"]
                assert told == expected[user, thread]
            secrets = [text for (who, _), said in expected.items() if who == user for text in said]
            assert sorted(turn.text for turn in mine.history()) == sorted(secrets)
        assert memory.history() == []
    for asked in model.asked:
        users = {found for message in asked for found in re.findall("alice|bob", message.text)}
        assert len(users) == 1


def run_all(graph: Any, given: list[tuple[Any, ...]], mode: str) -> None:
    if mode == "threads":
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: graph.invoke(one[0], one[1], context=one[2]), given))
        return

    async def tasks() -> None:
        await asyncio.gather(*(graph.ainvoke(one[0], one[1], context=one[2]) for one in given))

    asyncio.run(tasks())


EMPTY = pytest.mark.parametrize("ids", [{"user_id": ""}, {"thread_id": ""}])


@EMPTY
@pytest.mark.parametrize("where", ["context", "configurable"])
def test_an_empty_id_is_refused_by_name(
    open_memory: OpenMemory, ids: dict[str, str], where: str
) -> None:
    memory = open_memory(user="owner")
    memory.remember("user", "My PIN is 4921.")
    model = EchoModel()
    graph: Any = create_agent(
        model, as_tools(memory), middleware=[R3MemoryMiddleware(memory)], context_schema=dict
    )
    given = {"messages": [HumanMessage("What is my PIN?")]}
    [name] = ids
    with pytest.raises(InvalidInputError, match=f"{name} is empty"):
        if where == "context":
            graph.invoke(given, {"configurable": {"thread_id": "t"}}, context=ids)
        else:
            graph.invoke(given, {"configurable": {"thread_id": "t"} | ids})
    config: Any = {"configurable": ids}
    turns = {"turn_ids": [1]}
    given_to: list[dict[str, Any]] = [{"text": "Mine."}, {"query": "PIN"}, turns, turns]
    for tool, arguments in zip(as_tools(memory), given_to, strict=True):
        with pytest.raises((InvalidInputError, ToolException), match=f"{name} is empty"):
            tool.invoke(arguments, config)
    assert model.asked == []
    assert [turn.text for turn in memory.history()] == ["My PIN is 4921."]


@EMPTY
def test_an_empty_id_is_refused_where_it_is_given(
    open_memory: OpenMemory, ids: dict[str, Any]
) -> None:
    memory = open_memory(user="owner")
    [name] = ids
    for adapter in (R3MemoryMiddleware, as_tools):
        with pytest.raises(InvalidInputError, match=f"{name} is empty"):
            adapter(memory, **ids)
    for name in ("user_id", "session_id"):
        empty: dict[str, Any] = {name: ""}
        with pytest.raises(InvalidInputError, match=f"{name} is empty"):
            R3ChatMessageHistory(memory, **empty)


@pytest.mark.parametrize("label", ["", None, 7])
def test_an_empty_label_of_a_namespace_is_refused(open_memory: OpenMemory, label: Any) -> None:
    store = R3Store(open_memory())
    good = PutOp(("users", "alice"), "k", {"text": "Hello."})
    nobody: Any = ("users", label)
    put = PutOp(nobody, "k", {"text": "Mine."})
    for ops in ([good, put], [put], [PutOp(nobody, "k", None)], [GetOp(nobody, "k")]):
        with pytest.raises(ValueError, match="label"):
            store.batch(ops)
        assert store.search(()) == []
    for call in (store.get, store.delete):
        with pytest.raises(ValueError, match="label"):
            call(nobody, "k")


def test_with_errors_logged_an_empty_id_reads_and_writes_nothing(
    open_memory: OpenMemory, caplog: pytest.LogCaptureFixture
) -> None:
    memory = open_memory(user="owner")
    memory.remember("user", "My PIN is 4921.")
    model = EchoModel()
    graph: Any = create_agent(model, middleware=[R3MemoryMiddleware(memory, on_error="log")])
    given = {"messages": [HumanMessage("What is my PIN?")]}
    graph.invoke(given, {"configurable": {"user_id": ""}})
    assert [message.text for message in model.asked[0]] == ["What is my PIN?"]
    assert "user_id is empty" in caplog.text
    assert len(memory.history()) == 1


SECRET = "My bank PIN is R4921 and I am Alice."


@pytest.mark.parametrize(
    ("memory_user", "options", "named", "recalled"),
    [
        ({}, {}, None, False),
        ({}, {}, "alice", True),
        ({}, {"user_id": "alice"}, None, True),
        ({"user": "alice"}, {}, None, True),
        ({}, {"recall_from": "user"}, None, True),
        ({"user": "alice"}, {"recall_from": "session"}, None, False),
        ({}, {"recall_from": "session"}, "alice", False),
        ({"user": "alice"}, {"user_id": "alice", "recall_from": "session"}, "alice", False),
    ],
)
def test_no_user_named_no_other_thread_recalled(
    open_memory: OpenMemory,
    memory_user: dict[str, str],
    options: dict[str, Any],
    named: str | None,
    recalled: bool,
) -> None:
    memory = open_memory(**memory_user)
    model = EchoModel()
    graph: Any = create_agent(model, middleware=[R3MemoryMiddleware(memory, **options)])

    def config(thread: str) -> Any:
        user = {} if named is None else {"user_id": named}
        return {"configurable": {"thread_id": thread} | user}

    graph.invoke({"messages": [HumanMessage(SECRET)]}, config("alice-1"))
    for _ in range(12):  # so that it leaves the window of its own thread
        graph.invoke({"messages": [HumanMessage("Well.")]}, config("alice-1"))
    graph.invoke({"messages": [HumanMessage("What is my bank PIN?")]}, config("bob-1"))
    assert ("R4921" in repr(model.asked[-1])) is recalled
    _, recall, forget, pin = as_tools(memory, **options)
    question = {"query": "What is the bank PIN of Alice?"}
    assert ("R4921" in recall.invoke(question, config("bob-1"))) is recalled
    assert "R4921" in recall.invoke(question, config("alice-1"))
    graph.invoke({"messages": [HumanMessage("What is my bank PIN?")]}, config("alice-1"))
    assert "R4921" in repr(model.asked[-1])
    pinned = pin.invoke({"turn_ids": [1]}, config("bob-1"))
    assert pinned.startswith("Pinned 1" if recalled else "no turn 1")
    forgotten = forget.invoke({"turn_ids": [1]}, config("bob-1"))
    assert forgotten.startswith("Forgot 1" if recalled else "no turn 1")
    last = memory.scoped(user=options.get("user_id") or named or memory.user)
    assert any(turn.text == SECRET for turn in last.history("alice-1")) is not recalled


@pytest.mark.parametrize(
    ("user", "recall_from", "recalled"),
    [
        (None, None, False),
        ("alice", None, True),
        (None, "user", True),
        ("alice", "session", False),
    ],
)
def test_classic_chains_have_the_same_rule(
    open_memory: OpenMemory, user: str | None, recall_from: Any, recalled: bool
) -> None:
    memory = open_memory(session="bob-1", **({"user": user} if user else {}))
    memory.remember("user", SECRET, session="alice-1")
    chain = R3Memory(memory=memory, recall_from=recall_from)
    shown = chain.load_memory_variables({"input": "What is my bank PIN?"})["history"]
    assert ("R4921" in shown) is recalled


def test_other_reaches_are_refused(open_memory: OpenMemory) -> None:
    memory = open_memory()
    options: Any = {"recall_from": "everybody"}
    for adapter in (R3MemoryMiddleware, as_tools):
        with pytest.raises(InvalidInputError, match="recall_from is 'everybody'"):
            adapter(memory, **options)
    with pytest.raises(ValueError, match="recall_from"):
        R3Memory(memory=memory, **options)


@pytest.mark.parametrize("adapter", [R3Memory, R3Retriever])
@pytest.mark.parametrize("unknown", ["user", "user_id", "session_id", "thread_id", "reach"])
def test_who_is_named_in_an_unknown_way_is_not_left_out_without_a_word(
    open_memory: OpenMemory, adapter: Any, unknown: str
) -> None:
    memory = open_memory(user="owner")
    with pytest.raises(ValueError, match=unknown):
        adapter(memory=memory, **{unknown: "bob"})
