"""A pinned turn comes first in every context, as far as it fits; a recall ranks it as others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError, NotFoundError
from tests.conftest import OpenMemory

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
NUTS = "I must not eat nuts."
SALT = "Cook without salt."


def fill(memory: CompressiveMemory) -> tuple[StoredTurn, StoredTurn]:
    said = [f"The train to town {number} leaves at {number} o'clock." for number in range(40)]
    turns = memory.remember_many(
        [
            Turn(role="user", text=text, session="trains", time=START + timedelta(days=day))
            for day, text in enumerate([*said, NUTS])
        ]
    )
    return turns[-1], turns[7]


def test_it_is_first_whatever_is_asked(open_memory: OpenMemory, fake: Any) -> None:
    memory = open_memory(model=fake)
    pinned, answer = fill(memory)
    memory.pin([pinned.id])
    for question in ("When does the train to town 7 leave?", "", "Quantum physics?"):
        lines = memory.context(question).splitlines()
        assert lines[0] == "Session trains:"
        assert lines[1].endswith(NUTS)
        assert (len(lines) > 2) == ("train" in question)
    text = memory.context("When does the train to town 7 leave?")
    assert text.count(NUTS) == 1
    assert answer.text in text
    memory.pin([pinned.id], pinned=False)
    assert NUTS not in memory.context("When does the train to town 7 leave?", 60)


def test_several_are_in_order_of_time(open_memory: OpenMemory, fake: Any) -> None:
    memory = open_memory(model=fake)
    pinned, answer = fill(memory)
    memory.pin([pinned.id, answer.id])
    lines = memory.context("Quantum physics?").splitlines()
    assert [line.partition("user: ")[2] for line in lines[1:]] == [answer.text, NUTS]


def test_it_takes_no_more_than_the_budget(open_memory: OpenMemory, fake: Any) -> None:
    memory = open_memory(model=fake)
    pinned, answer = fill(memory)
    long = [memory.remember("user", f"Word {number} " * 400) for number in range(30)]
    memory.pin([turn.id for turn in long])
    text = memory.context("When does the train to town 7 leave?", 60)
    assert answer.text in text
    assert "Word" not in text
    memory.pin([pinned.id])
    for budget in range(1, 80):
        text = memory.context("When does the train to town 7 leave?", budget)
        assert fake.count_tokens(text) <= budget
        assert NUTS in text or answer.text not in text


def test_a_recall_ranks_it_as_others(open_memory: OpenMemory, fake: Any) -> None:
    memory = open_memory(model=fake)
    pinned, answer = fill(memory)
    before = [(hit.turn.id, hit.score) for hit in memory.recall("the train to town 7")]
    memory.pin([pinned.id, answer.id])
    found = memory.recall("the train to town 7")
    assert [(hit.turn.id, hit.score) for hit in found] == before
    assert [hit.turn.pinned for hit in found] == [hit.turn.id == answer.id for hit in found]


@pytest.mark.parametrize(
    "options", [{"roles": ["tool"]}, {"sessions": ["trains"]}, {"where": {"metadata.x": 1}}]
)
def test_filters_hold_for_it_too(open_memory: OpenMemory, options: Any) -> None:
    memory = open_memory()
    fill(memory)
    turn = memory.remember("user", SALT, session="food")
    memory.pin([turn.id])
    assert SALT in memory.context("Quantum physics?")
    assert SALT not in memory.context("Quantum physics?", **options)
    assert SALT not in memory.context("Quantum physics?", exclude=[turn.id])


def test_every_handle_knows_it(open_memory: OpenMemory) -> None:
    memory, other = open_memory(), open_memory()
    pinned, _ = fill(memory)
    assert NUTS not in other.context("", nothing="")
    memory.pin([pinned.id])
    assert NUTS in other.context("")
    assert [turn.id for turn in other.history() if turn.pinned] == [pinned.id]
    memory.pin([], pinned=False)
    memory.forget(turn_ids=[pinned.id])
    assert other.context("", nothing="") == ""


def test_they_are_those_of_the_history(open_memory: OpenMemory) -> None:
    memory = open_memory(user="a")
    assert memory.pinned() == []
    turns = memory.remember_many(
        [
            Turn(role="user", text=f"Turn {number}.", session=str(number % 2), time=START)
            for number in range(6)
        ]
    )
    memory.pin([turn.id for turn in turns[1:5]])
    open_memory(user="b").remember("user", "Another's turn.")
    pins = [turn for turn in memory.history() if turn.pinned]
    assert memory.pinned() == pins
    assert [turn.text for turn in pins] == [turn.text for turn in turns[1:5]]
    assert memory.pinned(sessions=["1"]) == [pins[0], pins[2]]
    assert memory.pinned(where={"session": "0"}) == [pins[1], pins[3]]
    assert memory.pinned(exclude=[pins[0].id]) == pins[1:]
    assert memory.pinned(as_of=START - timedelta(days=1)) == []
    with pytest.raises(NotFoundError):
        memory.pinned(sessions=["9"])
    with pytest.raises(InvalidInputError, match="time zone"):
        memory.pinned(as_of=datetime(2026, 1, 1))
