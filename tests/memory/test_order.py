"""Turns with times of their own may be written in any order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, Turn
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
TEXTS = [
    "I live in Berlin, by the river.",
    "The tea is green.",
    "I live in Berlin, by the river.",
    "I live in Rome, by the river.",
    "Noted.",
    "I live in Berlin, by the river.",
    "Noted.",
    "The tea is black.",
    "The tea is green.",
]
QUESTIONS = ["Where do I live, by the river?", "Berlin", "Noted", "Which tea?", "What did Ann say?"]


def found(memory: CompressiveMemory) -> list[Any]:
    times: dict[int | None, datetime] = {t.id: t.time for t in memory.history()}
    return [
        [
            (hit.turn.time, pytest.approx(hit.score), times.get(hit.superseded_by))
            for hit in memory.recall(question, 20, level=level, now=START)
        ]
        for question in QUESTIONS
        for level in ("turn", "session")
    ]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("names", [["Ann"], ["Ann", "Ben"]])
def test_the_order_of_writing_decides_nothing(
    open_memory: OpenMemory, names: list[str], seed: int
) -> None:
    turns = [
        Turn(
            role="user",
            name=names[number % len(names)],
            text=text,
            session=str(number),
            time=START + timedelta(hours=number),
        )
        for number, text in enumerate(TEXTS)
    ]
    memory = open_memory(model=FakeModel())
    memory.remember_many(turns)
    random.Random(seed).shuffle(turns)
    shuffled = open_memory("shuffled.db", model=FakeModel())
    shuffled.remember_many(turns)
    assert found(shuffled) == found(memory)


def test_of_equal_turns_the_newest_comes_first(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    for day, name in enumerate(("Ann", "Ben", "Cem")):
        time = START - timedelta(days=day)
        memory.remember("user", "The tea is green.", name=name, session=name, time=time)
    assert [hit.turn.name for hit in memory.recall("Which tea?")] == ["Ann", "Ben", "Cem"]
