"""What R3Memory shows: within the limit, calls with their results, in order."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.base.llms.types import ChatMessage, TextBlock, ToolCallBlock

from r3mem_agents import CompressiveMemory
from r3mem_llamaindex import R3Memory
from r3mem_llamaindex._tokens import message_tokens, tokenize
from tests.llamaindex.talk import BISCUIT, QUESTION, assistant, recalled, user
from tests.memory.fake_model import FakeModel

MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["user", "user", "assistant", "assistant", "tool", "system"]),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=14,
)


@given(messages=MESSAGES, limit=st.integers(1, 120), taken=st.integers(0, 60), data=st.data())
@settings(max_examples=40)
def test_a_prompt_is_within_the_limit_and_in_order(
    messages: list[tuple[str, int]], limit: int, taken: int, data: st.DataObject
) -> None:
    model: Any = FakeModel()
    with CompressiveMemory(":memory:", model=model) as opened:
        memory = R3Memory.from_memory(
            opened,
            session="s",
            token_limit=limit,
            recall_tokens=data.draw(st.sampled_from([0, 40, 800])),
            insert_method=data.draw(st.sampled_from(["user", "system"])),
        )
        put = [
            ChatMessage(role=role, content=f"number{number}" + " dog" * length)
            for number, (role, length) in enumerate(messages)
        ]
        memory.put_messages(put)
        shown = memory.get(initial_token_count=taken)
        tokens = sum(message_tokens(message, tokenize) for message in shown)
        lines = recalled(shown)
        window = [m for m in map(_own, shown) if m is not None]
        last = [m.role.value for m in window].count("user") == 1 or len(window) == 1
        assert tokens <= max(0, limit - taken) or (last and not lines)
        places = [put.index(message) for message in window]
        assert places == sorted(set(places))
        talk = [m.role.value for m in window if m.role != "system"]
        if any(role == "user" for role, _ in messages):
            assert talk[0] == "user"
            assert max(n for n, (role, _) in enumerate(messages) if role == "user") in places
        before = "user"
        for message in window:
            assert message.role != "tool" or before in ("assistant", "tool")
            before = message.role.value
        again = {int(number) for number in re.findall(r"number(\d+)", lines)}
        assert not again & set(places)
        assert all(str(put[number].content) in lines for number in again)


def _own(message: ChatMessage) -> ChatMessage | None:
    if not recalled([message]):
        return message
    blocks = message.blocks[1:]
    return ChatMessage(role=message.role, blocks=blocks) if blocks else None


def call(*ids: str | None, text: str = "I look.", older: bool = False) -> ChatMessage:
    """An answer that calls tools, as models of today or older ones of the host write it."""
    if older:
        calls = [{"id": id_, "type": "function", "function": {"name": "w"}} for id_ in ids]
        return ChatMessage(role="assistant", content=text, additional_kwargs={"tool_calls": calls})
    blocks = [ToolCallBlock(tool_call_id=id_, tool_name="w", tool_kwargs={}) for id_ in ids]
    return ChatMessage(role="assistant", blocks=[TextBlock(text=text), *blocks])


def result(id_: str | None, text: str = "22 degrees") -> ChatMessage:
    named = {} if id_ is None else {"tool_call_id": id_}
    return ChatMessage(role="tool", content=text, additional_kwargs=named)


ANSWERED: list[list[ChatMessage]] = [
    [call("1"), result("1")],
    [call("1", older=True), result("1")],
    [call("1", "2"), result("2", "hot"), result("1", "warm")],
    [call(None), result("weather")],
    [call("1"), result(None)],
    [assistant("No call that we know of."), result(None)],
]
BROKEN: list[tuple[list[ChatMessage], list[ChatMessage]]] = [  # what was said, what of it is shown
    ([call("1")], []),
    ([call("1", older=True)], []),
    ([call("1", "2"), result("2")], []),
    ([call("1"), result("3")], []),
    ([call(None, None), result("1")], []),
    ([assistant("No call."), result("1")], [assistant("No call.")]),
    ([call("1"), result("1", "warm"), result("2", "stray")], [call("1"), result("1", "warm")]),
]


@pytest.mark.parametrize(("put", "shown"), [*((one, one) for one in ANSWERED), *BROKEN])
@pytest.mark.parametrize("more", [0, 1])
def test_a_call_is_shown_with_its_results_or_not_at_all(
    r3: R3Memory, put: list[ChatMessage], shown: list[ChatMessage], more: int
) -> None:
    rest = [assistant("So be it."), user("And then?")][: 2 * more]
    r3.put_messages([user("How warm is it?"), *put, *rest])
    assert r3.get() == [user("How warm is it?"), *shown, *rest]
    assert r3.get_all() == [user("How warm is it?"), *put, *rest]
    r3.set(r3.get())
    assert len(r3.memory.history()) == 1 + len(put) + len(rest)


def test_what_is_not_recalled_leaves_its_room_to_the_window(r3: R3Memory) -> None:
    r3.tokenizer_fn = str.split
    r3.token_limit = 100
    R3Memory.from_memory(r3.memory, session="earlier").put(user(BISCUIT))
    talk = [user(f"number {n} in a row of ten words like all") for n in range(10)]
    r3.put_messages(talk)  # 100 tokens
    assert r3.get(input="quantum chromodynamics") == talk
    system, *window = r3.get(input=QUESTION)
    assert BISCUIT in recalled([system])
    assert window == talk[10 - len(window) :]
    tokens = sum(message_tokens(message, r3.tokenizer_fn) for message in (system, *window))
    assert 90 < tokens <= 100, "no room is left for another message"
