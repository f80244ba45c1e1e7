"""A turn that expires is gone for every verb from that moment, and its bytes soon after."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError, NotFoundError
from tests.conftest import OpenMemory
from tests.memory.test_forget import everything_on_disk, stored_bytes
from tests.memory.twins import twins

SOON = timedelta(milliseconds=150)
LATER = timedelta(days=30)


def past(turn: StoredTurn) -> None:
    """Wait until a turn has expired."""
    assert turn.expires is not None
    while datetime.now(UTC) < turn.expires:
        time.sleep(0.01)


def test_it_is_read_back_with_its_expiry(open_memory: OpenMemory) -> None:
    memory = open_memory()
    end = datetime(2999, 12, 31, 23, tzinfo=timezone(timedelta(hours=2)))
    turn = memory.remember("user", "My visa ends then.", expires=end)
    assert turn.expires == end
    assert memory.history() == memory.fetch(turn_ids=[turn.id]) == [turn]
    before = datetime.now(UTC)
    [other] = memory.remember_many([Turn(role="user", text="For a month.", expires=LATER)])
    assert other.expires is not None
    assert before + LATER <= other.expires <= datetime.now(UTC) + LATER
    assert memory.fetch(turn_ids=[other.id]) == [other]


VERBS: dict[str, Callable[[CompressiveMemory, int], Any]] = {
    "recall": lambda memory, _: memory.recall("What is the code?"),
    "by session": lambda memory, _: memory.recall("What is the code?", level="session"),
    "as of then": lambda memory, _: memory.recall("the code", as_of=datetime.now(UTC)),
    "context": lambda memory, _: "4711" in memory.context("What is the code?"),
    "history": lambda memory, _: memory.history(),
    "turn_ids": lambda memory, _: memory.turn_ids(),
    "sessions": lambda memory, _: memory.sessions(),
    "fetch": lambda memory, turn: memory.fetch(turn_ids=[turn]),
    "fetch by key": lambda memory, _: memory.fetch(keys=["code"], session="door"),
    "stats": lambda memory, _: memory.stats().turns,
    "users": lambda memory, _: memory.users(),
}


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_finds_it_from_that_moment(open_memory: OpenMemory, fake: Any, verb: str) -> None:
    memory, told = open_memory(model=fake), VERBS[verb]
    memory = memory.scoped(session="door")
    turn = memory.remember("user", "The code is 4711.", key="code", expires=LATER)
    assert told(memory, turn.id)
    turn = memory.remember("user", "The code is 4711.", key="code", expires=SOON)
    past(turn)
    assert not told(memory, turn.id)


def test_its_earlier_texts_go_with_it_and_so_does_its_session(
    open_memory: OpenMemory, fake: Any
) -> None:
    memory = open_memory(model=fake)
    memory.remember("user", "The code is 4711.", session="door", key="code", expires=LATER)
    memory.edit(1, "The code is 4712.", keep_versions=True)
    assert memory.sessions() == ["door"]
    past(memory.remember("user", "The code is 4712.", session="door", key="code", expires=SOON))
    assert memory.sessions() == []
    assert memory.turn_ids() == []
    assert memory.users() == []
    with pytest.raises(NotFoundError):
        memory.history("door")


@pytest.mark.parametrize("verb", ["edit", "versions", "pin", "forget", "summary", "session"])
def test_it_is_unknown_from_that_moment(open_memory: OpenMemory, verb: str) -> None:
    memory = open_memory()
    turn = memory.remember("user", "The code is 4711.", session="door", expires=SOON)
    past(turn)
    with pytest.raises(NotFoundError):
        if verb == "edit":
            memory.edit(turn.id, "Another code.")
        elif verb == "versions":
            memory.versions(turn.id)
        elif verb == "pin":
            memory.pin([turn.id])
        elif verb == "forget":
            memory.forget(turn_ids=[turn.id])
        elif verb == "summary":
            memory.summary("door")
        else:
            memory.recall("code", sessions=["door"])


def test_others_are_found_as_if_it_had_never_been_there(open_memory: OpenMemory) -> None:
    memory, other = twins(open_memory)
    when = datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(6):
        for one in (memory, other):
            one.remember("user", f"Door {number} has the code {number * 7}.", time=when)
        turn = memory.remember("user", "Code, code, door, door!", time=when, expires=SOON)
    past(turn)
    for question in ("What is the code of door 3?", "door", "What did I say?"):
        told = [(hit.text, hit.score) for hit in memory.recall(question, 9)]
        assert told == [(hit.text, hit.score) for hit in other.recall(question, 9)] != []
    assert [turn.text for turn in memory.summary()] == [turn.text for turn in other.summary()]


@pytest.mark.parametrize("how", ["close", "another opens", "a write", "a write of others"])
def test_no_byte_is_left(open_memory: OpenMemory, tmp_path: Path, how: str) -> None:
    memory = open_memory()
    kept = memory.remember("user", "This stays here for ever and ever.")
    turn = memory.remember("user", "Zanzibar is the word.", session="isle", expires=SOON)
    traces = stored_bytes(tmp_path / "memory.db", keep={kept.id})
    assert traces
    if how == "another opens":
        memory.close()
        past(turn)
        open_memory().close()
    elif how.startswith("a write"):
        past(turn)
        memory.scoped(user="bob" if "others" in how else None).remember("user", "More.")
        memory.close()
    else:
        past(turn)
        memory.close()
        open_memory().close()
    disk = everything_on_disk(tmp_path)
    assert not [trace for trace in traces if trace in disk]
    assert open_memory().verify().ok


@pytest.mark.parametrize("read_only", [False, True])
def test_a_copy_has_nothing_of_it(open_memory: OpenMemory, tmp_path: Path, read_only: bool) -> None:
    memory = open_memory()
    kept = memory.remember("user", "This stays.")
    turn = memory.remember("user", "Zanzibar is the word.", expires=SOON)
    traces = stored_bytes(tmp_path / "memory.db", keep={kept.id})
    past(turn)
    open_memory(read_only=read_only).backup(tmp_path / "copy.db")
    copy = (tmp_path / "copy.db").read_bytes()
    assert traces
    assert not [trace for trace in traces if trace in copy]


def test_its_key_is_free_again(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "The code is 4711.", key="code", expires=SOON)
    past(turn)
    new = memory.remember("user", "The code is 4712.", key="code")
    assert new.id > turn.id
    assert memory.history() == memory.fetch(keys=["code"]) == [new]


def test_a_key_written_again_has_the_expiry_of_the_last_time(open_memory: OpenMemory) -> None:
    memory = open_memory()
    first = memory.remember("user", "The code is 4711.", key="code", expires=LATER)
    longer = memory.remember("user", "The code is 4711.", key="code", expires=2 * LATER)
    assert (longer.id, longer.time) == (first.id, first.time)
    assert longer.expires is not None and first.expires is not None
    assert longer.expires > first.expires
    assert memory.history() == [longer]
    assert [hit.turn for hit in memory.recall("What is the code?")] == [longer]
    for_ever = memory.remember("user", "The code is 4711.", key="code")
    assert for_ever.expires is None
    assert memory.history() == [for_ever]
    other = memory.remember("user", "The code is 12.", key="code", expires=LATER)
    assert other.id == first.id
    assert memory.history() == [other]


def test_who_holds_the_file_open_sees_it_too(open_memory: OpenMemory) -> None:
    memory, other = open_memory(), open_memory()
    turn = memory.remember("user", "The code is 4711.", key="code", expires=LATER)
    assert [hit.turn for hit in other.recall("code")] == [turn]
    shorter = memory.remember("user", "The code is 4711.", key="code", expires=SOON)
    past(shorter)
    assert other.recall("code") == []


def test_one_that_has_expired_already_is_not_found(open_memory: OpenMemory) -> None:
    memory = open_memory()
    memory.remember("user", "Old news.", expires=datetime(2020, 1, 1, tzinfo=UTC))
    assert memory.history() == []
    assert memory.recall("news") == []


@pytest.mark.parametrize(
    ("expires", "why"),
    [
        (timedelta(0), "live for a while"),
        (timedelta(days=-1), "live for a while"),
        (timedelta.max, "9999"),
        (datetime(2030, 1, 1), "no time zone"),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=5))), "9999"),
        ("30d", "datetime or a timedelta"),
    ],
)
def test_what_is_no_expiry_is_refused(open_memory: OpenMemory, expires: Any, why: str) -> None:
    memory = open_memory()
    with pytest.raises(InvalidInputError, match=why):
        memory.remember("user", "Text.", expires=expires)
    assert memory.history() == []


def test_a_pinned_turn_does_not_expire(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory()
    turn = memory.remember("user", "The code is 4711.", key="code", expires=LATER)
    memory.pin([turn.id])
    turn = memory.remember("user", "The code is 4711.", key="code", expires=SOON)
    assert turn.pinned
    past(turn)
    memory.remember("user", "Something else.")
    assert turn.id in [hit.turn.id for hit in memory.recall("code")]
    memory.pin([turn.id], pinned=False)
    assert turn.id not in [hit.turn.id for hit in memory.recall("code")]
    memory.close()
    assert len(open_memory().history()) == 1
