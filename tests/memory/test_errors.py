"""Bad input: a named error that says what to do, and nothing stored is lost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from r3mem_agents import StoredTurn, Turn
from r3mem_agents.errors import (
    InvalidInputError,
    NotFoundError,
    StoreUnavailableError,
)
from tests.conftest import OpenMemory

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def nested(levels: int) -> dict[str, Any]:
    value: Any = {}
    for level in range(levels - 1):
        value = {"x": value} if level % 2 else [value]
    return {"x": value} if isinstance(value, list) else dict(value)


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ({"text": 5}, "text must be a str, not int"),
        ({"text": None}, "text must be a str"),
        ({"text": b"bytes"}, "text must be a str"),
        ({"text": "half \ud83d an emoji"}, "lone surrogate at position 5"),
        ({"role": ""}, "role is empty"),
        ({"role": " \t"}, "role is blank"),
        ({"role": "My dog is called Biscuit. " * 3}, "role looks like a text: .*at most 64"),
        ({"role": "Hello.\nI am Alice."}, r"role looks like a text.*remember\(role, text\)"),
        ({"name": ""}, "name is empty"),
        ({"name": "\n"}, "name is blank"),
        ({"session": "   "}, "session is blank"),
        ({"key": " "}, "key is blank"),
        ({"role": None}, "role must be a str"),
        ({"name": 7}, "name must be a str"),
        ({"name": "\udfff"}, "lone surrogate"),
        ({"session": ""}, "session is empty"),
        ({"session": 3}, "session must be a str"),
        ({"time": datetime(2026, 11, 20)}, "no time zone"),
        ({"time": "2026-11-20"}, "time must be a datetime"),
        ({"time": 1.5}, "time must be a datetime"),
        ({"metadata": ["a"]}, "metadata must be a dict"),
        ({"metadata": {"when": NOW}}, "JSON"),
        ({"metadata": {1: "one"}}, "JSON"),
        ({"metadata": {"pair": (1, 2)}}, "JSON"),
        ({"metadata": {"x": float("nan")}}, "JSON"),
        ({"metadata": {"x": "\ud800"}}, "metadata.*lone surrogate"),
        ({"metadata": {"\udfff": 1}}, "metadata.*lone surrogate"),
        ({"metadata": {"deep": [{"x": "\ud83d\ude00"}]}}, "metadata.*lone surrogate"),
        ({"metadata": nested(101)}, "metadata.*deeper than 100 levels"),
        ({"metadata": nested(960)}, "metadata.*deeper than 100 levels"),
        ({"metadata": nested(20_000)}, "metadata.*deeper than 100 levels"),
        ({"metadata": {"x": 10**4300}}, "metadata"),
    ],
)
def test_a_turn_that_cannot_be_stored(
    open_memory: OpenMemory, turn: dict[str, Any], message: str
) -> None:
    memory = open_memory()
    good = memory.remember("user", "Good.")
    fields = {"role": "user", "text": "Bad."} | turn
    with pytest.raises(InvalidInputError, match=message):
        memory.remember(fields.pop("role"), fields.pop("text"), **fields)
    fields = {"role": "user", "text": "Bad."} | turn
    with pytest.raises(InvalidInputError, match=r"turns\[1\].*" + message):
        memory.remember_many([Turn(role="user", text="Also good."), Turn(**fields)])
    assert memory.history() == [good]


def test_a_long_number_is_refused_where_the_host_reads_them(open_memory: OpenMemory) -> None:
    memory = open_memory()
    known = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        with pytest.raises(InvalidInputError, match="more than 4300 digits"):
            memory.remember("user", "Bad.", metadata={"x": [10**4300]})
        turn = memory.remember("user", "Good.", metadata={"x": -(10**4299), "1" * 5000: "2" * 5000})
    finally:
        sys.set_int_max_str_digits(known)
    assert memory.history() == [turn]


def test_metadata_that_was_taken_is_read_on_a_deep_stack(open_memory: OpenMemory) -> None:
    memory = open_memory()
    brackets = '"]}[{\\" ' * 200
    turn = memory.remember("user", "Good.", metadata=nested(99) | {brackets: brackets})

    def deeper(levels: int) -> list[StoredTurn]:
        return deeper(levels - 1) if levels else memory.history()

    assert deeper(600) == [turn]


@pytest.mark.parametrize(
    "turns", [None, 5, "text", Turn(role="user", text="x"), ["text"], [{"role": "user"}]]
)
def test_a_batch_that_is_none(open_memory: OpenMemory, turns: Any) -> None:
    with pytest.raises(InvalidInputError, match="Turn"):
        open_memory().remember_many(turns)


@pytest.mark.parametrize("ids", [5, "5", ["5"], [True], [1.0], [None]])
def test_ids_that_are_none(open_memory: OpenMemory, ids: Any) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    with pytest.raises(InvalidInputError, match="turn_ids"):
        memory.forget(turn_ids=ids)
    assert memory.history() == [turn]


@pytest.mark.parametrize("what", ["user", "agent", "session"])
@pytest.mark.parametrize("value", ["", "   ", "\n", None, 5, "\ud800"])
def test_scopes_are_names(open_memory: OpenMemory, what: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=what):
        open_memory(**{what: value})
    if value is not None:
        with pytest.raises(InvalidInputError, match=what):
            open_memory(":memory:").scoped(**{what: value})


@pytest.mark.parametrize("role", ["hello", "narrator", "My dog is called Biscuit."])
@pytest.mark.parametrize("text", ["user", "assistant", "system", "tool"])
def test_a_role_and_a_text_in_each_others_place(
    open_memory: OpenMemory, role: str, text: str
) -> None:
    memory = open_memory()
    with pytest.raises(InvalidInputError, match=rf"'{text}', which is a role.*role comes first"):
        memory.remember(role, text)
    assert memory.history() == []
    [meant] = memory.remember_many([Turn(role=role, text=text)])  # by name nothing is swapped
    also = memory.remember("user", text)
    assert memory.history() == [meant, also]


def test_a_host_may_have_any_role(open_memory: OpenMemory) -> None:
    memory = open_memory()
    for role in ("narrator", "project manager", "x" * 64, "\u8bf4\u4e66\u4eba"):
        assert memory.remember(role, "Once upon a time.").role == role


@pytest.mark.parametrize("question", ["dog", "Who am I?", "What was said today?"])
def test_an_empty_text_is_kept_and_never_found(open_memory: OpenMemory, question: str) -> None:
    memory = open_memory()
    told = memory.remember("user", "My dog is called Biscuit.")
    empty = memory.remember("assistant", "")
    assert memory.history() == [told, empty]
    assert [hit.turn for hit in memory.recall(question)] == [told]
    assert "assistant" not in memory.context(question)
    assert memory.forget(turn_ids=[told.id]).turns == 1
    assert memory.recall(question, explain=True) == []


@pytest.mark.parametrize("kind", [np.int64, np.uint8, int])
def test_integers_of_numpy_are_integers(open_memory: OpenMemory, kind: Any) -> None:
    memory = open_memory()
    turns = [memory.remember("user", f"My dog is called Biscuit {n}.") for n in range(3)]
    ids = [kind(turn.id) for turn in turns]
    assert memory.fetch(turn_ids=set(ids)) == turns
    assert memory.fetch(turn_ids=np.array(ids)) == turns
    options: Any = {"k": kind(2), "exclude": ids[:1], "min_score": np.float32(0)}
    assert len(memory.recall("dog", **options)) == 2
    assert memory.forget(turn_ids=ids).turns == 3


@pytest.mark.parametrize("id_", [-1, 0, 2**63, 10**40])
def test_ids_that_no_turn_can_have(open_memory: OpenMemory, id_: int) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    assert memory.fetch(turn_ids=[id_, turn.id]) == [turn]
    assert len(memory.recall("stay", exclude=[id_])) == 1
    assert memory.remember_many([], forget=[id_]) == []
    with pytest.raises(NotFoundError, match="nothing was forgotten"):
        memory.forget(turn_ids=[turn.id, id_])
    assert memory.history() == [turn]


@pytest.mark.parametrize(
    ("verb", "options", "message"),
    [
        ("recall", {"since": NOW, "until": NOW - timedelta(days=1)}, "since .* is after until"),
        ("recall", {"min_score": 1.01}, "from 0 to 1"),
        ("recall", {"min_score": -0.01}, "from 0 to 1"),
        ("recall", {"min_score": 10**400}, "from 0 to 1"),
        ("recall", {"k": 0}, "k is 0; it must be 1 or more"),
        ("recall", {"k": True}, "k must be an int"),
        ("context", {"token_budget": -5}, "token_budget is -5"),
        ("context", {"count": 5}, "count must be a function"),
        ("context", {"nothing": 5}, "nothing must be a str"),
    ],
)
def test_a_lookup_that_cannot_be_made(
    open_memory: OpenMemory, verb: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        getattr(open_memory(), verb)("dog", **options)


def test_a_period_may_be_a_moment(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "My dog is called Biscuit.", time=NOW)
    there = NOW.astimezone(timezone(timedelta(hours=9)))  # later on the clock, the same moment
    assert [hit.turn for hit in memory.recall("dog", since=there, until=NOW)] == [turn]


def test_ids_need_no_session(open_memory: OpenMemory) -> None:
    with pytest.raises(InvalidInputError, match="a session with keys"):
        open_memory().fetch(turn_ids=[1], session="s")


def test_a_closed_memory(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    memory.close()
    memory.close()
    calls: list[Callable[[], object]] = [
        lambda: memory.remember("user", "Late."),
        lambda: memory.remember_many([]),
        lambda: memory.recall("stay"),
        lambda: memory.recall(" "),
        lambda: memory.context("stay"),
        lambda: memory.fetch(turn_ids=[]),
        lambda: memory.turn_ids(keys=[]),
        lambda: memory.forget(turn_ids=[]),
        lambda: memory.forget(everything=True),
        lambda: memory.scoped(user="bob"),
        lambda: memory.backup(tmp_path / "copy.db"),
        memory.__enter__,
        memory.history,
        memory.summary,
        memory.sessions,
        memory.stats,
        memory.users,
        memory.verify,
    ]
    for call in calls:
        with pytest.raises(StoreUnavailableError, match="closed; open it again"):
            call()
    with open_memory() as again:
        assert again.history() == [turn]
