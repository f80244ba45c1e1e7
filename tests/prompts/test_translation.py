"""A host's items come back equal, and their turns say what was said."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
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
@example({"role": "user", "content": [{"text": ""}, {"arguments": []}]})
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


SEVERAL: list[list[Any]] = [
    [{"text": "So:"}, {"arguments": {"a": 1}}],
    [{"arguments": {"a": 1}}],
    [{"text": "One."}, {"data": b"1"}, {"text": "Two."}],
    [{"text": ""}, {"text": "Two."}],
    [{"data": b"1"}],
]


@pytest.mark.parametrize("words", ["Look here!", "", "Look at this, and at that.", "x" * 20])
def test_an_edited_turn_says_its_new_words(open_memory: OpenMemory, words: str) -> None:
    memory = open_memory()

    def edited(content: list[Any]) -> Any:
        item = {"role": "user", "content": content}
        [turn] = memory.remember_many([HOST.turn(item, role="user")])
        return HOST.item(memory.edit(turn.id, words))["content"]

    picture = {"data": b"1"}
    assert edited([{"text": "Look."}, picture]) == [{"text": words}, picture]
    for content in SEVERAL:
        found = edited(content)
        said = found if isinstance(found, str) else "".join(one.get("text", "") for one in found)
        assert said == words


def test_arguments_of_a_call_may_be_edited(open_memory: OpenMemory) -> None:
    item = {"role": "assistant", "content": [{"text": "So:"}, {"arguments": {"a": 1}}]}
    memory = open_memory()
    [turn] = memory.remember_many([HOST.turn(item, role="assistant")])
    edited = HOST.item(memory.edit(turn.id, turn.text.replace("1", "22")))
    assert edited == item | {"content": [{"text": "So:"}, {"arguments": {"a": 22}}]}


@pytest.mark.parametrize("kept", [{}, {"item": 3}, [1], "a"])
def test_metadata_that_is_somebody_elses_is_left_alone(kept: Any) -> None:
    turn = Turn(role="user", text="Hi.", metadata={"host": kept})
    assert HOST.item(turn) == {"role": "user", "content": "Hi."}


@pytest.mark.parametrize("value", [float("nan"), {1: "a"}, {"a"}, (1,)])
def test_what_json_cannot_hold_is_refused_by_the_memory(
    open_memory: OpenMemory, value: object
) -> None:
    item = {"role": "user", "content": [{"arguments": value}]}
    with pytest.raises(InvalidInputError):
        open_memory().remember_many([HOST.turn(item, role="user")])


def test_half_a_character_is_stored_as_one_that_is_missing(open_memory: OpenMemory) -> None:
    item = {"role": "user", "content": [{"text": "Look \ud83e", "id": "\udd8a"}]}
    [turn] = open_memory().remember_many([HOST.turn(item, role="user")])
    assert HOST.item(turn)["content"] == [{"text": "Look \ufffd", "id": "\ufffd"}]
