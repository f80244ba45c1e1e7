"""What an adapter is given for all its lookups and writes: pins, conditions, times, lifetimes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from r3mem_agents import Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import check_options, prompt_memory
from tests.conftest import OpenMemory

MARCH, MAY = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)

NESTED: dict[str, Any] = {"metadata.a": {"$gt": 1}}
for _ in range(5000):
    NESTED = {"metadata": NESTED}

ENDLESS: dict[str, Any] = {}
ENDLESS["metadata"] = ENDLESS

REFUSED = [
    ({"where": "mail"}, "where must be a dict, not str"),
    ({"where": [("metadata.a", 1)]}, "where must be a dict, not list"),
    ({"where": {1: "mail"}}, "where has the key 1; keys are str"),
    ({"where": {"channel": "mail"}}, "where has 'channel'; a turn has metadata.KEY"),
    ({"where": {"$or": []}}, "where has '\\$or' where a key of the value is expected"),
    ({"where": {"metadata.a": {"$in": [1]}}}, "where has '\\$in'; there are \\$eq"),
    ({"where": {"metadata.a": {"$gt": [1]}}}, "\\$gt compares with a number or a str"),
    ({"where": {"metadata.a": {"$gt": None}}}, "\\$gt compares with a number or a str"),
    ({"where": {"metadata.a": {"$eq": {1, 2}}}}, "where must be what JSON can hold"),
    ({"where": {"metadata.a": float("nan")}}, "where must be what JSON can hold"),
    ({"where": {"metadata.a": b"x"}}, "where must be what JSON can hold"),
    ({"where": {"metadata.a": MARCH}}, "where must be what JSON can hold"),
    ({"where": {"metadata.a": "\ud83d"}}, "lone surrogate"),
    ({"where": NESTED}, "where is nested deeper than"),
    ({"where": ENDLESS}, "where must be what JSON can hold"),
    ({"as_of": "2026-03-01"}, "as_of must be a datetime, not str"),
    ({"as_of": datetime(2026, 3, 1)}, "as_of .* has no time zone"),
    ({"expires": 3600}, "expires must be a timedelta, not int"),
    ({"expires": MAY}, "expires must be a timedelta, not datetime: .* memory.remember"),
    ({"expires": timedelta()}, "expires is 0:00:00"),
    ({"expires": timedelta(days=10**7)}, "beyond the year 9999"),
]


@pytest.mark.parametrize(("options", "reason"), REFUSED)
def test_what_nothing_would_take_is_refused_by_name(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        check_options(**options)


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"metadata.a.b.c": None, "metadata": {"a": [1, {"x": 2}]}},
        {"metadata.tags": ["a", "b"], "role": {"$ne": "tool"}, "key": {"$gte": "k"}},
    ],
)
def test_what_a_lookup_takes_is_taken(open_memory: OpenMemory, where: dict[str, Any]) -> None:
    check_options(where=where, as_of=MARCH, expires=timedelta(days=30))
    check_options()
    memory = open_memory()
    memory.remember("user", "My dog is called Biscuit.", metadata={"tags": ["a", "b"]}, key="k1")
    found = prompt_memory(memory, "dog", window=0, where=where)
    assert [*found.recollections] == memory.recall("dog", where=where)


def test_pinned_turns_come_first_whatever_is_asked(open_memory: OpenMemory) -> None:
    memory = open_memory(session="today")
    nuts, dog, *_ = memory.remember_many(
        [
            Turn(role="user", text="I must not eat nuts.", session="before"),
            Turn(role="user", text="My dog is called Biscuit.", session="before"),
            Turn(role="user", text="Hello."),
        ]
    )
    memory.pin([nuts.id])
    for question in ("What is my dog called?", "xylophone", ""):
        found = prompt_memory(memory, question, window=1)
        assert found.recollections[0].turn.id == nuts.id
        assert found.recalled.count("I must not eat nuts.") == 1
    both = prompt_memory(memory, "What is my dog called?", window=0, k=1).recollections
    assert [hit.turn.id for hit in both] == [nuts.id, dog.id]
    by_id = {hit.turn.id: hit for hit in memory.recall("Must I not eat nuts?")}
    [first, *_] = prompt_memory(memory, "Must I not eat nuts?", window=0).recollections
    assert first == by_id[nuts.id], "with its evidence where it answers"
    for options in (
        {"shown_ids": [nuts.id]},
        {"sessions": ["today"]},
        {"where": {"session": "today"}},
        {"as_of": MARCH},
        {"token_budget": 0},
    ):
        assert "nuts" not in prompt_memory(memory, "dog", window=0, **options).text()
    memory.pin([dog.id, nuts.id], pinned=False)
    assert prompt_memory(memory, "xylophone", window=0).recalled == ""


def test_a_pinned_turn_that_is_among_the_newest_is_shown_once(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "I must not eat nuts.")
    memory.pin([turn.id])
    found = prompt_memory(memory, "dog", window=3)
    assert [one.text for one in found.recent] == ["I must not eat nuts."]
    assert found.recollections == ()


def test_conditions_and_times_leave_the_newest_turns_alone(open_memory: OpenMemory) -> None:
    memory = open_memory(session="today")
    mine, yours = {"by": "me"}, {"by": "you"}
    memory.remember_many(
        [
            Turn(role="user", text="Biscuit barks.", session="a", time=MARCH, metadata=mine),
            Turn(role="user", text="Biscuit runs.", session="a", time=MAY, metadata=yours),
            Turn(role="user", text="Biscuit sleeps."),
        ]
    )

    def shown(**options: Any) -> tuple[list[str], list[str]]:
        found = prompt_memory(memory, "Biscuit", window=1, **options)
        return [hit.text for hit in found.recollections], [turn.text for turn in found.recent]

    assert shown(where={"metadata.by": "you"}) == (["Biscuit runs."], ["Biscuit sleeps."])
    assert shown(as_of=MARCH) == (["Biscuit barks."], ["Biscuit sleeps."])
    assert shown(as_of=MARCH, where={"metadata.by": "you"}) == ([], ["Biscuit sleeps."])
