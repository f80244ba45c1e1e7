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
from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver

from r3mem_agents import CompressiveMemory
from r3mem_langchain import R3MemoryMiddleware
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
    assert not any(isinstance(asked[0], SystemMessage) for asked in model.asked[:1])


def run_all(graph: Any, given: list[tuple[Any, ...]], mode: str) -> None:
    if mode == "threads":
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: graph.invoke(one[0], one[1], context=one[2]), given))
        return

    async def tasks() -> None:
        await asyncio.gather(*(graph.ainvoke(one[0], one[1], context=one[2]) for one in given))

    asyncio.run(tasks())
