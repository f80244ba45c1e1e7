"""A session holds a key once, whoever writes it and how often."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.store import Store
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel
from tests.memory.worth import log_odds

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(str.strip)
KEYED = st.builds(
    Turn,
    role=st.just("user"),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    session=st.sampled_from(["s", "t"]),
    key=st.none() | st.sampled_from(["a", "b"]) | KEYS,
)


WHEN = datetime(2026, 4, 16, 22, 30, tzinfo=UTC)
TIMES = st.none() | st.integers(0, 9).map(lambda days: WHEN + timedelta(days=days))
EDITED = st.builds(
    Turn,
    role=st.sampled_from(["user", "assistant"]),
    text=st.sampled_from(["", "Yes.", "No."]),
    name=st.sampled_from([None, "Alice"]),
    session=st.sampled_from(["s", "t"]),
    time=TIMES,
    metadata=st.sampled_from([None, {}, {"n": 1}, {"n": True}]),
    key=st.none() | st.sampled_from(["a", "b"]),
)


def content(turn: Turn) -> str:
    return json.dumps([turn.role, turn.name, turn.text, turn.metadata or {}])


@given(batches=st.lists(st.lists(EDITED, max_size=4), max_size=5))
@settings(max_examples=60)
def test_the_same_content_is_a_retry_and_another_one_an_edit(batches: list[list[Turn]]) -> None:
    fake: Any = FakeModel()
    expected: list[Turn] = []  # in the order of the first write of each key
    places: dict[tuple[str | None, str], int] = {}
    ids: list[int] = []
    with CompressiveMemory(":memory:", model=fake) as memory:
        for batch in batches:
            for turn in batch:
                slot = None if turn.key is None else (turn.session, turn.key)
                if slot is None or slot not in places:
                    expected.append(turn)
                    if slot is not None:
                        places[slot] = len(expected) - 1
                elif content(expected[places[slot]]) != content(turn):
                    old = expected[places[slot]]
                    expected[places[slot]] = replace(turn, time=turn.time or old.time)
            stored = memory.remember_many(batch)
            told = memory.history()
            assert all(turn in told for turn in stored)
            assert [(one.session, one.key, content(one)) for one in told] == [
                (one.session, one.key, content(one)) for one in expected
            ]
            for one, want in zip(told, expected, strict=True):
                assert want.time in (None, one.time)
            assert memory.turn_ids()[: len(ids)] == ids
            expected, ids = [*told], [turn.id for turn in told]
        assert ids == memory.turn_ids()


def test_an_edited_turn_is_found_by_what_it_says_now(open_memory: OpenMemory) -> None:
    memory = open_memory()
    first = memory.remember("user", "My dog is called Biscuit.", key="dog", time=WHEN, name="Al")
    memory.remember("assistant", "Noted.")
    assert memory.recall("Who is Biscuit?")[0].turn.id == first.id
    edited = memory.remember("user", "My dog is called Waffle.", key="dog", name="Alice")
    assert (edited.id, edited.time) == (first.id, WHEN)
    assert memory.history()[0] == edited == memory.fetch(keys=["dog"])[0]
    found = memory.recall("Biscuit", explain=True)
    assert not any(log_odds(hit)["words"] for hit in found)
    assert memory.recall("Waffle")[0].turn.name == "Alice"
    later = memory.remember("user", "Waffle is gone.", key="dog", time=WHEN + timedelta(days=1))
    assert (later.id, later.time) == (first.id, WHEN + timedelta(days=1))


def test_an_edit_leaves_no_trace(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory()
    text = "My dog is called Biscuit, and he loves the beach in Lisbon."
    memory.remember("user", text, key="dog", name="Alice")
    memory.remember("user", "I have a cat.", key="dog")
    memory.close()
    open_memory().close()  # opening cleans up
    code = memory.model.compress([text])[0].code
    assert code not in (tmp_path / "memory.db").read_bytes()


def test_what_is_forgotten_while_it_is_edited_is_written_anew(
    open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = open_memory(), open_memory()
    first = mine.remember("user", "one", key="k")
    add: Callable[..., list[int]] = Store.add

    def overtaken(store: Store, *arguments: Any, **options: Any) -> list[int]:
        monkeypatch.setattr(Store, "add", add)
        theirs.forget(everything=True)
        return store.add(*arguments, **options)

    monkeypatch.setattr(Store, "add", overtaken)
    second = mine.remember("user", "two", key="k")
    assert second.id != first.id
    assert theirs.history() == [second]


def test_an_edit_that_cannot_be_stored_changes_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory()
    first = memory.remember("user", "one", key="k")
    with pytest.raises(InvalidInputError):
        memory.remember_many(
            [Turn(role="user", text="two", key="k"), Turn(role="user", text="\ud800")]
        )
    assert memory.history() == [first]


def test_fetch(open_memory: OpenMemory) -> None:
    memory = open_memory(session="s")
    first = memory.remember("user", "one", key="k")
    second = memory.remember("user", "two")
    other = open_memory(user="another").remember("user", "three", key="k")
    assert memory.fetch(turn_ids=[second.id, other.id, first.id, second.id]) == [second, first]
    assert memory.fetch(keys=["none", "k"]) == [first]
    assert memory.fetch(keys=["k"], session="t") == []
    assert memory.fetch(turn_ids=[]) == memory.fetch(keys=[]) == []
    assert memory.recall("one")[0].turn.key == "k"


@pytest.mark.parametrize("arguments", [{}, {"turn_ids": [1], "keys": ["k"]}, {"keys": "k"}])
def test_fetch_takes_one_thing(open_memory: OpenMemory, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        open_memory().fetch(**arguments)


@pytest.mark.parametrize("key", ["", 7, "\ud800", "x" * 256, "\u00e9" * 128])
def test_keys_that_are_none(open_memory: OpenMemory, key: Any) -> None:
    memory = open_memory()
    with pytest.raises(InvalidInputError, match="key"):
        memory.remember("user", "text", key=key)
    assert memory.history() == []


def test_a_forgotten_key_may_be_given_again(open_memory: OpenMemory) -> None:
    memory = open_memory()
    first = memory.remember("user", "one", key="k")
    memory.forget(turn_ids=[first.id])
    second = memory.remember("user", "two", key="k")
    assert memory.history() == memory.fetch(keys=["k"]) == [second]


def test_writers_with_the_same_keys(open_memory: OpenMemory) -> None:
    memories = [open_memory() for _ in range(4)]
    turns = [Turn(role="user", text=f"turn {i}", key=str(i)) for i in range(8)]
    results: list[list[StoredTurn]] = []
    start = threading.Barrier(len(memories))

    def write(memory: CompressiveMemory) -> None:
        start.wait()
        results.append(memory.remember_many(turns))

    threads = [threading.Thread(target=write, args=(memory,)) for memory in memories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [memories[0].history()] * len(memories)


def test_another_writer_between_looking_and_writing(
    open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = open_memory(), open_memory()
    add: Callable[..., list[int]] = Store.add

    def overtaken(store: Store, *arguments: Any, **options: Any) -> list[int]:
        monkeypatch.setattr(Store, "add", add)
        theirs.remember("user", "theirs", key="k")
        return store.add(*arguments, **options)

    monkeypatch.setattr(Store, "add", overtaken)
    [kept, own] = mine.remember_many(
        [Turn(role="user", text="mine", key="k"), Turn(role="user", text="more", key="l")]
    )
    assert (kept.text, own.text) == ("mine", "more")  # the last to write a key has its say
    assert mine.history() == [kept, own]


def test_ids_of_keys_are_found_without_reading_the_turns(open_memory: OpenMemory) -> None:
    memory = open_memory(session="s")
    turns = [memory.remember("user", "Yes.", key=key) for key in ("a", "b")]
    other = memory.remember("user", "Yes.", key="a", session="t")
    assert memory.turn_ids(keys=["b", "a", "c"]) == [turn.id for turn in turns]
    assert memory.turn_ids("t", keys=["a", "b"]) == [other.id]
    assert memory.turn_ids("no such session", keys=["a"]) == []


@given(batches=st.lists(st.lists(KEYED, max_size=4), max_size=4))
@settings(max_examples=40, deadline=None)
def test_replacing_keeps_the_last_of_equal_keys(batches: list[list[Turn]]) -> None:
    fake: Any = FakeModel()
    expected: list[Turn] = []
    with CompressiveMemory(":memory:", model=fake) as memory:
        for batch in batches:
            stored = memory.remember_many(batch, replace=True)
            taken = {(turn.session, turn.key) for turn in batch if turn.key is not None}
            kept = [turn for turn in expected if (turn.session, turn.key) not in taken]
            new = {turn.id: turn for turn in stored}
            expected = [*kept, *(new[id_] for id_ in sorted(new, key=lambda id_: id_ or 0))]
            assert memory.history() == expected
            last = {(turn.session, turn.key): turn.text for turn in batch}
            assert all(
                turn.key is None or turn.text == last[turn.session, turn.key] for turn in stored
            )
        assert set(memory.sessions()) == {turn.session for turn in expected}


def test_what_was_replaced_is_found_no_more_and_leaves_no_trace(
    open_memory: OpenMemory, tmp_path: Path
) -> None:
    memory = open_memory()
    text = "My dog is called Biscuit, and he loves the beach in Lisbon."
    memory.remember_many([Turn(role="user", text=text, key="dog", name="Alice")])
    memory.remember("user", "Something else.")
    assert memory.recall("beach in Lisbon")[0].text == text
    [turn] = memory.remember_many(
        [Turn(role="user", text="I have a cat.", key="dog")], replace=True
    )
    assert [hit.text for hit in memory.recall("beach Lisbon cat")][0] == "I have a cat."
    assert text not in [hit.text for hit in memory.recall("beach in Lisbon")]
    assert memory.fetch(keys=["dog"]) == [turn]
    memory.close()
    open_memory().close()  # opening cleans up
    code = memory.model.compress([text])[0].code
    assert code not in (tmp_path / "memory.db").read_bytes()


def test_two_writers_may_replace_at_once(open_memory: OpenMemory) -> None:
    memories = [open_memory() for _ in range(3)]

    def write(memory: CompressiveMemory) -> None:
        for number in range(5):
            turn = Turn(role="user", text=f"Version {number}.", key="same")
            memory.remember_many([turn, turn], replace=True)

    threads = [threading.Thread(target=write, args=(memory,)) for memory in memories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [turn.text for turn in memories[0].history()] == ["Version 4."]
