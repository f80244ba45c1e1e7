from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, DamageWarning, Turn
from r3mem_agents.conditions import OPERATORS, passes
from r3mem_agents.errors import InvalidInputError
from tests.memory.damaging import Damaged, forget_what_was_read
from tests.memory.fake_model import FakeModel

CHANNELS = ("mail", "chat", "phone")
EVERYTHING = 1000


def opened(path: Path | str = ":memory:") -> CompressiveMemory:
    model: Any = FakeModel()
    return CompressiveMemory(path, model=model)


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "2"])
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("xy"), scalars)
metadata = st.dictionaries(st.sampled_from(["a", "b", "a.x"]), values, max_size=3)
paths = st.sampled_from(["metadata.a", "metadata.b", "metadata.a.x", "metadata.none", "role"])
ordered = st.dictionaries(
    st.sampled_from([sign for sign in OPERATORS if sign not in ("$eq", "$ne")]),
    st.integers(-3, 3) | st.sampled_from(["a", "2"]),
    min_size=1,
)
wants = values | ordered | st.fixed_dictionaries({"$ne": values}) | st.just("user")


@given(
    said=st.lists(st.tuples(st.sampled_from(["user", "tool"]), metadata), min_size=1, max_size=6),
    where=st.dictionaries(paths, wants, max_size=2),
    k=st.integers(1, 6),
)
def test_where_is_what_is_left_of_everything(
    said: list[tuple[str, dict[str, Any]]], where: dict[str, Any], k: int
) -> None:
    with opened() as memory:
        memory.remember_many(
            Turn(role=role, text=f"Biscuit barks {'loudly ' * i}.", metadata=about)
            for i, (role, about) in enumerate(said)
        )
        whole = memory.recall("Biscuit barks", EVERYTHING)
        found = memory.recall("Biscuit barks", k, where=where)
        again = memory.recall("Biscuit barks", k, where=where)
    met = [hit for hit in whole if passes(described(hit.turn), where)]
    assert [hit.turn for hit in found] == [hit.turn for hit in met[:k]]
    assert [hit.score for hit in found] == [hit.score for hit in met[:k]]
    assert again == found


def described(turn: Turn) -> Mapping[str, Any]:
    return {"role": turn.role, "name": turn.name, "metadata": turn.metadata}


@pytest.fixture
def talk() -> CompressiveMemory:
    """Turns whose session, name, key and metadata say the same."""
    memory = opened()
    memory.remember_many(
        Turn(
            role="user" if i % 2 else "assistant",
            text=f"Biscuit barks, and that is number {i}.",
            name=CHANNELS[i % 3].title(),
            session=CHANNELS[i % 3],
            metadata={"channel": CHANNELS[i % 3], "at": {"number": i}},
            key=str(i),
        )
        for i in range(60)
    )
    return memory


@pytest.mark.parametrize("k", [1, 3, 20, 100])
@pytest.mark.parametrize("level", ["turn", "session"])
def test_where_leaves_out_what_other_filters_leave_out(
    talk: CompressiveMemory, k: int, level: Any
) -> None:
    question = "Which number is Biscuit?"
    for other, where in (
        ({"sessions": ["mail"]}, {"metadata.channel": "mail"}),
        ({"sessions": ["mail"]}, {"session": "mail"}),
        ({"sessions": ["mail"]}, {"name": "Mail"}),
        ({"sessions": ["mail", "phone"]}, {"metadata": {"channel": {"$gt": "chat"}}}),
        ({"roles": ["user"]}, {"role": {"$ne": "assistant"}}),
        ({"roles": ["user"], "sessions": ["chat"]}, {"role": "user", "metadata.channel": "chat"}),
    ):
        expected = talk.recall(question, k, level=level, **other)  # type: ignore[arg-type]
        assert expected
        assert talk.recall(question, k, level=level, where=where) == expected
    same = talk.context(question, where={"metadata.channel": "mail"})
    assert same == talk.context(question, sessions=["mail"])


def test_where_finds_a_needle_beside_many_that_match_better(talk: CompressiveMemory) -> None:
    for where in (
        {"metadata.at.number": 7},
        {"metadata.at": {"number": 7}},
        {"metadata.at.number": {"$gt": 6, "$lt": 8}},
        {"key": "7"},
    ):
        [hit] = talk.recall("Biscuit barks", 1, where=where)
        assert hit.turn.key == "7"


def test_where_sees_what_was_written_edited_and_forgotten_since(path: Path) -> None:
    where = {"metadata.open": True}
    with (
        opened(path) as memory,
        opened(path) as other,
    ):

        def found() -> list[int]:
            hits = memory.recall("Biscuit barks", EVERYTHING, where=where)
            return sorted(hit.turn.id for hit in hits)

        one = memory.remember("user", "Biscuit barks.", key="1", metadata={"open": True})
        assert found() == [one.id]
        two = other.remember("user", "Biscuit barks again.", metadata={"open": True})
        three = memory.remember("user", "Biscuit barks on.", metadata={"open": False}, key="3")
        assert found() == [one.id, two.id]
        other.remember("user", "Biscuit barks.", key="1", metadata={"open": False})
        other.remember("user", "Biscuit barks on.", key="3", metadata={"open": True})
        assert found() == [two.id, three.id]
        other.forget(turn_ids=[two.id])
        assert found() == [three.id]


def test_a_lookup_says_that_where_left_all_out(talk: CompressiveMemory) -> None:
    hits = talk.recall("Biscuit barks", where={"metadata.channel": "fax"}, explain=True)
    assert hits == []
    assert hits.explanation is not None
    assert "where lets 0 through" in hits.explanation.outcome


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("metadata", "must be a dict"),
        ({"channel": "mail"}, "metadata.KEY"),
        ({"text": "Biscuit"}, "metadata.KEY"),
        ({"time": "2026-11-20"}, "since="),
        ({"metadata.a": {"$in": [1]}}, "there are \\$eq, \\$ne, \\$gt, \\$gte, \\$lt, \\$lte"),
        ({"metadata.a": {"$gte": None}}, "a number or a str"),
        ({"metadata.a": {"$eq": float("nan")}}, "JSON"),
        ({"metadata.a": {1: 2}}, "keys are str"),
        ({"$gt": 1}, "write"),
        ({"metadata.a": {"b"}}, "JSON"),
    ],
)
def test_conditions_that_no_turn_could_meet_are_refused(
    talk: CompressiveMemory, where: Any, told: str
) -> None:
    with pytest.raises(InvalidInputError, match=told):
        talk.recall("Biscuit", where=where)
    with pytest.raises(InvalidInputError, match=told):
        talk.context("Biscuit", where=where)


@pytest.mark.parametrize(
    "damage", ["extra = x'00ff'", "extra = 7", "extra = 'no blob'", "extra = zeroblob(40)"]
)
def test_damaged_metadata_is_left_out_by_name(path: Path, damage: str) -> None:
    with opened(path) as memory:
        bad, good = (
            memory.remember("user", f"Biscuit barks {word}.", metadata={"open": True})
            for word in ("loudly", "softly")
        )
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE turns SET {damage} WHERE id = ?", (bad.id,))
    connection.close()
    forget_what_was_read()
    with opened(path) as memory:
        with pytest.warns(DamageWarning, match=f"turns {bad.id}\\."):
            hits = memory.recall("Biscuit barks", where={"metadata.open": True})
        assert [hit.turn for hit in hits] == [good]
        assert memory.recall("Biscuit barks", where={"metadata.open": True}) == hits


def test_what_damage_has_cut_off_meets_no_condition(damaged: Damaged, turns: Any) -> None:
    where = {"metadata.none": None}
    with damaged("UPDATE speakers SET hidden = x'00' WHERE id = 2") as memory:
        with pytest.warns(DamageWarning, match="left out of lookups with where"):
            hits = memory.recall("Which number is that?", EVERYTHING, where=where)
        lost = {turn.id for turn in turns if said_by(turn) == said_by(turns[0])}
        assert hits
        assert lost.isdisjoint(hit.turn.id for hit in hits)


def said_by(turn: Turn) -> tuple[str, str | None]:
    return turn.role, turn.name
