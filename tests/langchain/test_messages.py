from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import mark_recalled
from r3mem_agents.validation import metadata_json
from r3mem_langchain._messages import to_message, to_turn, to_turns
from tests.memory.fake_model import FakeModel

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.text("abcdefg_", min_size=1, max_size=8)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
DICTS = st.dictionaries(NAMES, JSON, max_size=3)
BLOCKS = st.one_of(
    TEXT,
    st.builds(lambda text: {"type": "text", "text": text}, TEXT),
    st.builds(lambda text: {"type": "text", "text": text, "cache_control": {"a": 1}}, TEXT),
    st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, TEXT),
    st.builds(lambda text: {"type": "thinking", "thinking": text}, TEXT),
    st.builds(lambda value: {"type": "text", "text": value}, JSON),
    st.builds(
        lambda kind, text, more: {"type": kind, "text": text} | more,
        st.sampled_from(["bold", "link", "text-plain", "reasoning", None]),
        JSON,
        DICTS,
    ),
    st.builds(lambda text: {"type": "refusal", "refusal": text, "text": None}, TEXT),
    st.builds(lambda data: {"image": {"source": {"bytes": data}}}, st.binary(max_size=9)),
    st.builds(lambda data: {"type": "media", "r3mem_bytes": [data]}, st.binary(max_size=9)),
    st.builds(lambda value: {"type": "media", "x": {"r3mem_bytes": value}}, st.binary() | JSON),
)
COMMON: dict[str, Any] = {
    "content": TEXT | st.lists(BLOCKS, max_size=3),
    "id": st.none() | st.text("abc ", max_size=300),
    "name": st.none() | TEXT | st.just(" "),
    "additional_kwargs": DICTS,
    "response_metadata": DICTS,
}
CALLS = st.lists(
    st.builds(
        lambda name, args, id: {"name": name, "args": args, "id": id, "type": "tool_call"},
        NAMES,
        DICTS,
        st.none() | NAMES,
    ),
    max_size=2,
)
WRONG = st.lists(
    st.builds(
        lambda name, args, id, error: {
            "name": name,
            "args": args,
            "id": id,
            "error": error,
            "type": "invalid_tool_call",
        },
        st.none() | NAMES,
        st.none() | TEXT,
        st.none() | NAMES,
        st.none() | TEXT,
    ),
    max_size=2,
)
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
MESSAGES: st.SearchStrategy[BaseMessage] = st.one_of(
    st.builds(HumanMessage, **COMMON),
    st.builds(SystemMessage, **COMMON),
    st.builds(
        AIMessage,
        **COMMON,
        tool_calls=CALLS,
        invalid_tool_calls=WRONG,
        usage_metadata=st.none() | st.just(USAGE),
    ),
    st.builds(
        ToolMessage,
        **COMMON,
        tool_call_id=TEXT,
        status=st.sampled_from(["success", "error"]),
        artifact=JSON,
    ),
    st.builds(FunctionMessage, **(COMMON | {"name": NAMES})),
    st.builds(
        ChatMessage, **COMMON, role=NAMES | TEXT | st.sampled_from(["user", "chat", "x" * 65])
    ),
)


@given(message=MESSAGES)
@settings(max_examples=200)
def test_a_message_comes_back_as_it_was(message: BaseMessage) -> None:
    fake: Any = FakeModel()
    with CompressiveMemory(":memory:", model=fake) as memory:
        stored = memory.remember_many([to_turn(message)])
        [turn] = memory.history()
    assert [turn] == stored
    back = to_message(turn)
    assert back == message
    assert repr(back.model_dump()) == repr(message.model_dump())  # 1 is not True


@given(message=MESSAGES, words=TEXT)
@settings(max_examples=200)
def test_an_edited_message_says_its_new_words(message: BaseMessage, words: str) -> None:
    edited = to_message(replace(to_turn(message), text=words))
    assert type(edited) is type(message)
    assert edited.id == message.id
    assert to_turn(edited).text == words


def test_a_picture_outlives_an_edit_of_its_caption() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/dog.png"}}
    turn = to_turn(HumanMessage([{"type": "text", "text": "A cat."}, picture]))
    edited = to_message(replace(turn, text="A small dog."))
    assert edited.content == [{"type": "text", "text": "A small dog."}, picture]


def test_a_plain_message_is_a_plain_turn() -> None:
    turn = to_turn(HumanMessage("Hello.", id="h1", name="Alice"))
    assert turn == Turn(role="user", text="Hello.", name="Alice", key="h1")
    assert to_turn(AIMessage("Hi.")) == Turn(role="assistant", text="Hi.")


def test_tool_calls_and_results_are_shown() -> None:
    call = {"name": "weather", "args": {"city": "Zürich"}, "id": "c1"}
    turn = to_turn(AIMessage("One moment.", tool_calls=[call]))
    assert turn.text == 'One moment.\n[calls weather] {"city": "Zürich"}'
    assert to_turn(ToolMessage("Rain.", tool_call_id="c1")).text == "Rain."


def test_the_text_of_every_block_is_said_but_thoughts_are_not() -> None:
    message = AIMessage(
        [
            {"type": "reasoning", "text": "Aha."},
            "See ",
            {"type": "bold", "text": "the manual"},
            {"type": "link", "text": "of the pump", "url": "https://example.org"},
            {"type": "refusal", "refusal": "I cannot open it."},
            {"type": "image_url", "image_url": {"url": "x"}},
        ]
    )
    turn = to_turn(message)
    assert turn.text.split("\n") == ["See ", "the manual", "of the pump", "I cannot open it."]
    assert to_message(turn) == message


def test_invalid_calls_are_said_too() -> None:
    wrong: Any = {"name": "search", "args": '{"city": "Lis', "id": "c", "error": "cut off"}
    message = AIMessage("One moment.", invalid_tool_calls=[wrong])
    turn = to_turn(message)
    assert turn.text == 'One moment.\n[calls search] {"city": "Lis'
    assert to_message(turn) == message


def test_what_json_cannot_hold_is_left_out_where_it_is_optional() -> None:
    message = ToolMessage("ok", tool_call_id="c", artifact=object(), additional_kwargs={"a": {1}})
    back = to_message(to_turn(message))
    assert back == ToolMessage("ok", tool_call_id="c")
    with pytest.raises(InvalidInputError, match="JSON"):
        to_turn(AIMessage("", tool_calls=[{"name": "f", "args": {"a": object()}, "id": "c"}]))


def test_what_is_nested_too_deep_is_refused_by_name() -> None:
    deep: Any = b"1"
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(InvalidInputError, match=r"nested|deep"):
        metadata_json(to_turn(HumanMessage([{"type": "media", "data": deep}])).metadata or {}, "it")


def test_a_quotation_is_not_kept_again() -> None:
    told = "My dog is called Biscuit."
    documents = [Document(told, id="r3mem:7")]
    for message in (
        ToolMessage(told, tool_call_id="c", artifact=documents),
        ToolMessage(mark_recalled(told), tool_call_id="c"),
    ):
        turn = to_turn(message)
        assert "Biscuit" not in str(asdict(turn))
        assert to_message(turn) == ToolMessage("[recalled from memory]", tool_call_id="c")
    assert to_turns([SystemMessage(mark_recalled(told)), HumanMessage("Hi.")]) == [
        Turn(role="user", text="Hi.")
    ]
    others = [Document("A page.", id="r3mem:7"), Document("Another.", id="x")]
    assert to_turn(ToolMessage("A page.", tool_call_id="c", artifact=others)).text == "A page."


def test_chunks_are_kept_as_messages() -> None:
    chunk = AIMessageChunk(content="Hello.", id="a")
    assert to_message(to_turn(chunk)) == AIMessage("Hello.", id="a")
    with pytest.raises(InvalidInputError, match="RemoveMessage"):
        to_turn(RemoveMessage(id="a"))


@pytest.mark.parametrize("role", ["tool", "narrator"])
def test_turns_of_others_are_messages_too(role: str) -> None:
    assert to_message(Turn(role=role, text="x")) == ChatMessage(content="x", role=role)
    assert to_message(Turn(role="user", text="x", key="k")) == HumanMessage("x", id="k")
