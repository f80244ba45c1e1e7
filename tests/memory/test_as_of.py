"""A lookup as of a time finds what a memory would have found that had heard no more until then."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, DamageWarning, Recollections, Turn
from r3mem_agents.errors import InvalidInputError
from tests.conftest import OpenMemory
from tests.memory.damaging import forget_what_was_read
from tests.memory.twins import twins

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
SAID = [
    Turn(
        role="user" if number % 2 else "assistant",
        name="Alice" if number % 2 else None,
        text=f"The {what} is in room {number}, or is it in room {number + 3}?",
        session=f"day {number // 4}",
        time=START + timedelta(days=number),
        metadata={"even": number % 2 == 0},
    )
    for number, what in enumerate(["key", "cat", "letter", "map", "clock", "key", "book"] * 3)
]
QUESTIONS = [
    "Where is the key?",
    "room 9",
    "What did Alice say last week?",
    "What did Alice say?",
    "Who am I?",
    "Where was the letter before?",
]


def told(hits: Recollections) -> list[Any]:
    return [(hit.turn, hit.score, hit.superseded_by, hit.explanation) for hit in hits]


@pytest.mark.parametrize("known", [1, 6, 13, 20])
@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_as_if_nothing_had_been_said_later(
    open_memory: OpenMemory, fake: Any, question: str, known: int
) -> None:
    whole, part = twins(open_memory, model=fake)
    whole.remember_many(SAID)
    part.remember_many(SAID[:known])
    when = START + timedelta(days=known, hours=-1)
    for options in (
        {},
        {"level": "session"},
        {"explain": True},
        {"where": {"metadata.even": True}},
    ):
        found = whole.recall(question, 9, as_of=when, **options)
        expected = part.recall(question, 9, now=when, **options)
        assert told(found) == told(expected)
        assert found.explanation == expected.explanation
    assert whole.context(question, as_of=when) == part.context(question, now=when)


def test_a_turn_says_what_it_said_then(open_memory: OpenMemory, fake: Any) -> None:
    memory, then = twins(open_memory, model=fake)
    memory.remember_many(SAID)
    then.remember_many(SAID)
    turn = memory.history()[8]
    moments = [datetime.now(UTC)]
    texts = [turn.text, "The parrot is in the kitchen.", "The parrot is in the cellar."]
    for text in texts[1:]:
        time.sleep(0.002)
        memory.edit(turn.id, text, keep_versions=True)
        time.sleep(0.002)
        moments.append(datetime.now(UTC))
    for text, when in zip(texts, moments, strict=True):
        then.edit(turn.id, text)
        for question in [*QUESTIONS, "Where is the parrot?", "the clock in room 11"]:
            found = memory.recall(question, 30, as_of=when, explain=True)
            assert told(found) == told(then.recall(question, 30, now=when, explain=True))
        [hit] = memory.recall(text, 1, as_of=when)
        assert (hit.turn.id, hit.text) == (turn.id, text)
    assert memory.recall("parrot", as_of=START + timedelta(days=30)) == []


def test_a_text_that_was_not_kept_is_not_found_then(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "The cat is in room 4.", time=START)
    memory.edit(turn.id, "The dog is in room 4.")
    assert [hit.text for hit in memory.recall("room 4", as_of=START)] == ["The dog is in room 4."]


def test_the_turn_is_found_with_its_pin_and_key(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "The cat is in room 4.", time=START, key="cat")
    memory.edit(turn.id, "The dog is in room 4.", keep_versions=True)
    memory.pin([turn.id])
    [hit] = memory.recall("Where is the cat?", as_of=START)
    assert (hit.text, hit.turn.key, hit.turn.pinned) == ("The cat is in room 4.", "cat", True)
    assert "cat" in memory.context("", as_of=START)
    assert "dog" in memory.context("")
    assert memory.context("", as_of=START - timedelta(days=1), nothing="-") == "-"


def test_what_is_forgotten_since_is_gone(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "The cat is in room 4.", time=START)
    memory.edit(turn.id, "The dog is in room 4.", keep_versions=True)
    other = memory.remember("user", "The map is in room 5.", time=START)
    memory.forget(turn_ids=[turn.id])
    assert [hit.turn.id for hit in memory.recall("room 4 or 5", as_of=START)] == [other.id]


@pytest.mark.parametrize("lost", [0, 1])
def test_no_other_text_stands_for_one_that_is_damaged(
    open_memory: OpenMemory, fake: Any, lost: int
) -> None:
    said = ["The cat is in room 4.", "The dog is in room 5."]
    with open_memory(model=fake) as memory:
        for text in said:
            turn = memory.remember("user", text, time=START)
            memory.edit(turn.id, "Nothing is anywhere.", keep_versions=True)
    with closing(sqlite3.connect(memory.location)) as file, file:
        earlier = [row for (row,) in file.execute("SELECT turn FROM marks ORDER BY version_of")]
        file.execute("UPDATE turns SET time_us = 'soon' WHERE id = ?", (earlier[lost],))
    forget_what_was_read()
    memory = open_memory(model=fake)
    with pytest.warns(DamageWarning, match=f"turns {earlier[lost]}"):
        found = memory.recall("Where is the cat or the dog?", as_of=START)
    assert [hit.text for hit in found] == said[:lost] + said[lost + 1 :]


def test_who_has_the_file_open_finds_the_version_of_another(open_memory: OpenMemory) -> None:
    memory, other = open_memory(), open_memory()
    turn = memory.remember("user", "The cat is in room 4.", time=START)
    assert other.recall("Where is the cat?", as_of=START)
    memory.edit(turn.id, "The dog is in room 4.", keep_versions=True)
    more = memory.remember("user", "The cat is fed.", time=START)
    found = other.recall("Where is the cat?", as_of=START)
    assert {hit.text for hit in found} == {"The cat is in room 4.", more.text}


def test_a_time_before_everything_finds_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember_many(SAID)
    before = START - timedelta(seconds=1)
    assert memory.recall("Where is the key?", as_of=before) == []
    assert memory.recall("Where is the key?", as_of=before, explain=True).explanation is not None


@pytest.mark.parametrize("wrong", ["2026-01-01", datetime(2026, 1, 1), 5])
def test_a_wrong_time_is_refused(open_memory: OpenMemory, wrong: Any) -> None:
    memory: CompressiveMemory = open_memory()
    with pytest.raises(InvalidInputError, match="as_of"):
        memory.recall("Where?", as_of=wrong)
    with pytest.raises(InvalidInputError, match="as_of"):
        memory.context("Where?", as_of=wrong)
