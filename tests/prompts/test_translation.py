"""A host's items come back equal, and their turns say what was said."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import Said, Translation, call_lead
from tests.conftest import OpenMemory

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
BLOCKS = st.dictionaries(st.sampled_from(["text", "arguments", "data", "id"]), VALUES)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool"])},
    optional={"content": TEXT | st.lists(BLOCKS, max_size=4), "id": TEXT},
)


def said(item: dict[str, Any]) -> Iterator[Said]:
    content = item.get("content")
    if isinstance(content, str):
        yield Said(("content",))
    for number, block in enumerate(content if isinstance(content, list) else []):
        if isinstance(block.get("text"), str):
            yield Said(("content", number, "text"))
        if "arguments" in block:
            yield Said(("content", number, "arguments"), call_lead("find"))


HOST = Translation("host", said, lambda turn: {"role": turn.role, "content": turn.text})


@given(MESSAGES)
def test_an_item_comes_back_equal(item: dict[str, Any]) -> None:
    before = copy.deepcopy(item)
    turn = HOST.turn(item, role=item["role"])
    assert HOST.item(turn) == item == before


def test_an_item_outlives_a_file(open_memory: OpenMemory) -> None:
    content: list[Any] = [
        {"text": "Look.", "data": b"\x00\xff"},
        {"arguments": {"q": ["Tom", 1, None]}},
        {"arguments": '{"q": "raw"}'},
        {"data": {"r3mem_bytes": "the host's own"}},
    ]
    item = {"role": "user", "content": content}
    open_memory().remember_many([HOST.turn(item, role="user", key="k", name="Ann")])
    [turn] = open_memory().history()
    assert turn.text == 'Look.\n[calls find] {"q": ["Tom", 1, null]}\n[calls find] {"q": "raw"}'
    assert (turn.key, turn.name) == ("k", "Ann")
    assert HOST.item(turn) == item


def test_a_plain_item_needs_no_metadata_and_anybodys_turn_is_one() -> None:
    plain = {"role": "user", "content": "My dog is called Biscuit."}
    assert HOST.turn(plain, role="user").metadata is None
    assert HOST.turn(plain | {"id": "1"}, role="user").metadata is not None
    others = Turn(role="user", text=plain["content"], metadata={"lang": "en"})
    assert HOST.item(others) == plain


@pytest.mark.parametrize("value", [float("nan"), {1: "a"}, {"a"}, (1,)])
def test_what_json_cannot_hold_is_refused_by_the_memory(
    open_memory: OpenMemory, value: object
) -> None:
    item = {"role": "user", "content": [{"arguments": value}]}
    with pytest.raises(InvalidInputError):
        open_memory().remember_many([HOST.turn(item, role="user")])


def test_an_edited_turn_is_an_edited_item(open_memory: OpenMemory) -> None:
    memory = open_memory()
    item = {"role": "user", "content": [{"text": "Look."}], "id": "m"}
    [turn] = memory.remember_many([HOST.turn(item, role="user")])
    for text in ("Do not look.", ""):
        assert HOST.item(memory.edit(turn.id, text)) == item | {"content": [{"text": text}]}
