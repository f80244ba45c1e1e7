"""Messages become turns and come back equal; what is recalled is told from what is said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.base.llms.types import (
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import mark_recalled
from r3mem_llamaindex._messages import digest, to_message, to_turn, unmark
from r3mem_llamaindex._tokens import message_tokens, tokenize

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
BLOCKS: st.SearchStrategy[ContentBlock] = st.one_of(
    st.builds(TextBlock, text=TEXT),
    st.builds(
        ToolCallBlock,
        tool_call_id=st.none() | TEXT,
        tool_name=TEXT,
        tool_kwargs=TEXT | st.dictionaries(TEXT, JSON, max_size=3),
    ),
    st.builds(ThinkingBlock, content=st.none() | TEXT),
    st.just(ImageBlock(image=b"\x89PNG\r\n")),
    st.just(ImageBlock(url="https://example.org/dog.png")),
    st.just(DocumentBlock(data=b"%PDF-1.7", title="A paper")),
    st.just(CachePoint(cache_control=CacheControl(type="ephemeral"))),
    st.builds(
        lambda texts: CitableBlock(
            title="T",
            source="S",
            content=[*(TextBlock(text=text) for text in texts), ImageBlock(image=b"1")],
        ),
        st.lists(TEXT, max_size=2),
    ),
)
MESSAGES = st.builds(
    ChatMessage,
    role=st.sampled_from(MessageRole),
    blocks=st.lists(BLOCKS, max_size=4),
    additional_kwargs=st.dictionaries(TEXT.filter(lambda key: key != "images"), JSON, max_size=2),
)


@given(message=MESSAGES)
def test_a_message_comes_back_equal(message: ChatMessage) -> None:
    turn = to_turn(message, "s")
    assert to_message(turn) == message
    if turn.metadata is not None:  # as a store brings it back
        assert json.loads(json.dumps(turn.metadata)) == turn.metadata
    for block in message.blocks:
        if isinstance(block, TextBlock):
            assert block.text in turn.text


@given(message=MESSAGES, words=TEXT)
def test_an_edited_message_says_its_new_words(message: ChatMessage, words: str) -> None:
    edited = to_message(replace(to_turn(message, "s"), text=words))
    assert to_turn(edited, "s").text == words
    assert edited.additional_kwargs == message.additional_kwargs


@given(text=TEXT)
def test_a_plain_message_is_its_text(text: str) -> None:
    turn = to_turn(ChatMessage(content=text), "s")
    assert turn == Turn(role="user", text=text, session="s")


def test_a_tool_call_can_be_read_in_the_text() -> None:
    call = ToolCallBlock(tool_call_id="1", tool_name="weather", tool_kwargs={"city": "Århus"})
    message = ChatMessage(role="assistant", blocks=[TextBlock(text="I look it up."), call])
    turn = to_turn(message, "s")
    assert turn.text == 'I look it up.\n[calls weather] {"city": "Århus"}'
    assert "Århus" not in json.dumps(turn.metadata, ensure_ascii=False)  # nothing is kept twice


def test_a_document_that_may_be_cited_is_said_and_counted() -> None:
    plan = CitableBlock(title="Plan", source="S", content=[TextBlock(text="We fly to Lisbon.")])
    message = ChatMessage(blocks=[TextBlock(text="Read this."), plan])
    assert to_turn(message, "s").text == "Read this.\nWe fly to Lisbon."
    plain = ChatMessage(blocks=[TextBlock(text="Read this."), *plan.content])
    assert message_tokens(message, tokenize) == message_tokens(plain, tokenize) > 0


@given(one=MESSAGES, other=MESSAGES)
def test_equal_messages_have_equal_digests(one: ChatMessage, other: ChatMessage) -> None:
    same = ChatMessage.model_validate(one.model_dump())
    assert digest(to_turn(one, "s")) == digest(to_turn(same, "s"))
    assert (digest(to_turn(one, "s")) == digest(to_turn(other, "s"))) == (
        to_turn(one, "s") == to_turn(other, "s")
    )


def test_turns_of_other_hands_are_messages_too(memory: CompressiveMemory) -> None:
    memory.remember("narrator", "Once upon a time.", metadata={"page": 1})
    memory.remember("assistant", "Go on.")
    told, answer = map(to_message, memory.history())
    assert (told.role, told.content) == (MessageRole.USER, "Once upon a time.")
    assert answer == ChatMessage(role="assistant", content="Go on.")


@pytest.mark.parametrize(
    "extra", [{"a": float("inf")}, {"made": object()}, {"deep": [{"made": object()}]}]
)
def test_what_json_cannot_hold_is_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="JSON"):
        to_turn(ChatMessage(content="x", additional_kwargs=extra), "s")


def test_a_message_that_merely_begins_with_the_mark_is_the_users_own() -> None:
    text = "<recalled_memory>\nMy dog is called Biscuit.\n</recalled_memory>\nWhy these tags?"
    message = ChatMessage(content=text)
    assert unmark(message) is message
    assert unmark(ChatMessage(content=f"{mark_recalled('Old.')}\n{text}")) == message


@given(lines=TEXT, message=MESSAGES)
def test_recalled_lines_are_taken_off_again(lines: str, message: ChatMessage) -> None:
    shown = message.model_copy(
        update={"blocks": [TextBlock(text=mark_recalled(lines)), *message.blocks]}
    )
    assert unmark(shown) == (message if message.blocks else None)
    assert unmark(message) is message
    alone = ChatMessage(role="system", content=mark_recalled(lines))
    assert unmark(alone) is None


def test_recalled_lines_are_taken_off_flat_text() -> None:
    message = ChatMessage(
        blocks=[TextBlock(text=mark_recalled("[2026] user: Hi.")), TextBlock(text="So?")]
    )
    blocks = [block.text for block in message.blocks if isinstance(block, TextBlock)]
    for flat in (message.content, "".join(blocks), "\n".join(blocks)):
        assert unmark(ChatMessage(content=flat)) == ChatMessage(content="So?")
    assert unmark(ChatMessage(role="system", content=blocks[0].strip())) is None
