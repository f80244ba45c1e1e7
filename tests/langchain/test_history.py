from __future__ import annotations

import asyncio
import copy
import pickle
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, NotFoundError, StoreUnavailableError
from r3mem_agents.prompts import mark_recalled
from r3mem_langchain import R3ChatMessageHistory
from tests.conftest import OpenMemory
from tests.langchain.models import calls, scripted
from tests.memory.fake_model import FakeModel

pytestmark = pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")


def with_history(
    model: Runnable[Any, Any], memory: CompressiveMemory, **options: Any
) -> RunnableWithMessageHistory:
    def get_session_history(session_id: str) -> BaseChatMessageHistory:
        return R3ChatMessageHistory(memory, session_id)

    return RunnableWithMessageHistory(model, get_session_history, **options)


def config(session: str) -> Any:
    return {"configurable": {"session_id": session}}


async def test_messages_come_back_as_they_were(open_memory: OpenMemory) -> None:
    history = R3ChatMessageHistory(open_memory(), "s")
    said: list[BaseMessage] = [
        HumanMessage("Hi.", id="1", name="Alice"),
        calls("weather", "c1", city="Paris"),
        ToolMessage("Rain.", tool_call_id="c1"),
        AIMessage([{"type": "text", "text": "It rains."}], response_metadata={"model": "m"}),
    ]
    history.add_messages(said[:2])
    await history.aadd_messages(said[2:])
    assert history.messages == await history.aget_messages() == said
    assert str(history).startswith("Human: Hi.")
    history.add_user_message("And?")
    history.add_ai_message("Sun.")
    assert history.messages[4:] == [HumanMessage("And?"), AIMessage("Sun.")]
    assert "weather" in history.memory.recall("What was the weather?")[0].text
    await history.aclear()
    assert history.messages == []
    history.clear()


def test_a_message_with_an_id_is_stored_once_and_equal_ones_twice(open_memory: OpenMemory) -> None:
    history = R3ChatMessageHistory(open_memory(), "s")
    for _ in range(2):
        history.add_messages([HumanMessage("Yes.", id="a"), AIMessage("Good.", id="b")])
    history.add_messages([HumanMessage("Yes.", id="c"), HumanMessage("Yes."), HumanMessage("Yes.")])
    assert [message.id for message in history.messages] == ["a", "b", "c", None, None]


def test_a_batch_that_fails_leaves_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory()
    history = R3ChatMessageHistory(memory, "s")
    with pytest.raises(InvalidInputError):
        history.add_messages([HumanMessage("Yes."), HumanMessage("\ud800")])
    assert history.messages == []
    memory.close()
    with pytest.raises(StoreUnavailableError):
        history.add_messages([HumanMessage("Yes.")])


def test_recalled_text_is_not_stored_again(open_memory: OpenMemory) -> None:
    history = R3ChatMessageHistory(open_memory(), "s")
    history.add_messages([SystemMessage(mark_recalled("Old news.")), HumanMessage("New.")])
    assert history.messages == [HumanMessage("New.")]


async def test_a_chat_model_sees_what_was_said(open_memory: OpenMemory) -> None:
    memory = open_memory()
    model = scripted("Hi Alice.", "Alice.", "Hello.")
    chain = with_history(model, memory)
    chain.invoke([HumanMessage("I am Alice.")], config("s"))
    await chain.ainvoke([HumanMessage("Who am I?")], config("s"))
    chain.invoke([HumanMessage("Who am I?")], config("t"))
    assert [message.text for message in model.asked[1]] == [
        "I am Alice.",
        "Hi Alice.",
        "Who am I?",
    ]
    assert len(model.asked[2]) == 1
    assert [turn.text for turn in memory.history("s")] == [
        "I am Alice.",
        "Hi Alice.",
        "Who am I?",
        "Alice.",
    ]


async def test_a_chain_with_a_prompt_streams(open_memory: OpenMemory) -> None:
    memory = open_memory()
    model = scripted("Hi Alice there.", "You are Alice.")
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("past"), ("human", "{said}")])
    chain = with_history(
        prompt | model, memory, input_messages_key="said", history_messages_key="past"
    )
    parts = list(chain.stream({"said": "I am Alice."}, config("s")))
    assert len(parts) > 2
    parts = [part async for part in chain.astream({"said": "Who am I?"}, config("s"))]
    assert "".join(part.text for part in parts) == "You are Alice."
    history = R3ChatMessageHistory(memory, "s").messages
    assert [message.type for message in history] == ["human", "ai", "human", "ai"]
    assert history[1].text == "Hi Alice there."


async def test_users_and_sessions_are_apart(open_memory: OpenMemory) -> None:
    memory = open_memory(user="alice", session="mine")

    async def talk(user: str, session: str) -> None:
        for number in range(3):
            history = R3ChatMessageHistory(memory, session, user_id=user)
            await history.aadd_messages([HumanMessage(f"{user} {session} {number}")])

    pairs = [(user, session) for user in ("alice", "bob") for session in ("s", "t")]
    await asyncio.gather(*(talk(*pair) for pair in pairs))
    for user, session in pairs:
        found = await R3ChatMessageHistory(memory, session, user_id=user).aget_messages()
        assert [message.text for message in found] == [f"{user} {session} {n}" for n in range(3)]
    assert R3ChatMessageHistory(memory).messages == []
    R3ChatMessageHistory(memory, "s", user_id="bob").clear()
    assert len(R3ChatMessageHistory(memory, "s").messages) == 3


STEPS = st.tuples(
    st.sampled_from(["alice", "bob"]),
    st.sampled_from(["s", "t"]),
    st.sampled_from(["add", "add", "again", "clear"]),
)


@given(steps=st.lists(STEPS, max_size=12))
@settings(max_examples=30)
def test_it_behaves_as_a_list_per_user_and_session(steps: list[tuple[str, str, str]]) -> None:
    fake: Any = FakeModel()
    expected: dict[tuple[str, str], list[BaseMessage]] = {}
    with CompressiveMemory(":memory:", model=fake) as memory:
        for number, (user, session, step) in enumerate(steps):
            mine = expected.setdefault((user, session), [])
            history = R3ChatMessageHistory(memory, session, user_id=user)
            if step == "clear":
                history.clear()
                mine.clear()
            elif step == "again":
                history.add_messages([message for message in mine if message.id])
            else:
                new = [HumanMessage("Yes.", id=str(number)), AIMessage("Yes.")]
                history.add_messages(new)
                mine.extend(new)
            for (user_id, session_id), messages in expected.items():
                found = R3ChatMessageHistory(memory, session_id, user_id=user_id)
                assert found.messages == messages


def test_copies_and_pickles(model: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(Path(folder) / "model")
        path = Path(folder) / "memory.db"
        with CompressiveMemory(path, model=Path(folder) / "model") as memory:
            history = R3ChatMessageHistory(memory, "s")
            history.add_messages([HumanMessage("Yes.")])
            assert copy.deepcopy(history).messages == history.messages
            again = pickle.loads(pickle.dumps(history))
            assert again.messages == history.messages
            again.memory.close()


async def test_an_edited_message_replaces_what_it_was(open_memory: OpenMemory) -> None:
    history = R3ChatMessageHistory(open_memory(), "s")
    history.add_messages([HumanMessage("My dog is Biscuit.", id="a"), AIMessage("Noted.", id="b")])
    await history.aadd_messages([HumanMessage("My dog is Waffle.", id="a")])
    said = [HumanMessage("My dog is Waffle.", id="a"), AIMessage("Noted.", id="b")]
    assert history.messages == said
    assert history.memory.recall("Biscuit") == []


async def test_removed_messages_are_forgotten(open_memory: OpenMemory) -> None:
    memory = open_memory()
    history = R3ChatMessageHistory(memory, "s")
    R3ChatMessageHistory(memory, "t").add_messages([HumanMessage("Elsewhere.", id="a")])
    history.add_messages([HumanMessage("One.", id="a"), AIMessage("Two.", id="b")])
    await history.aadd_messages([RemoveMessage(id="a"), HumanMessage("Three.", id="c")])
    assert [message.text for message in history.messages] == ["Two.", "Three."]
    with pytest.raises(NotFoundError, match="'a'"):
        history.add_messages([HumanMessage("Lost."), RemoveMessage(id="a")])
    assert [message.text for message in history.messages] == ["Two.", "Three."]
    new = [HumanMessage("Three!", id="c"), HumanMessage("Four.", id="d"), RemoveMessage(id="d")]
    history.add_messages([HumanMessage("Not this."), RemoveMessage(id=REMOVE_ALL_MESSAGES), *new])
    assert history.messages == [HumanMessage("Three!", id="c")]
    history.add_messages([RemoveMessage(id=REMOVE_ALL_MESSAGES)])
    assert history.messages == []
    assert [turn.text for turn in memory.history()] == ["Elsewhere."]


def test_a_history_that_is_written_anew_has_the_order_given(open_memory: OpenMemory) -> None:
    memory = open_memory(session="s")
    history = R3ChatMessageHistory(memory)
    history.add_messages([HumanMessage("One.", id="a"), AIMessage("Two.", id="b")])
    [_, two] = memory.history()
    summary = SystemMessage("A summary.", id="s")
    kept = AIMessage("Two.", id="b")
    history.add_messages([RemoveMessage(id=REMOVE_ALL_MESSAGES), summary, kept])
    assert history.messages == [summary, kept]
    assert memory.history()[1].time == two.time
