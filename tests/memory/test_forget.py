from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from r3mem_agents import StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError, NotFoundError
from tests.conftest import OpenMemory

WORDS = (
    "Biscuit",
    "Zanzibar",
    "otorhinolaryngologist",
    "\u041c\u043e\u0441\u043a\u0432\u0430",
    "\u6771\u4eac\u90fd\u5e81\u820e",
)
HIDDEN = (
    *WORDS,
    "Wilhelmina",
    "Quarterly planning",
    "confidential",
    "alice@example.org",
    "Penelope",
    "narrator",
)


def write_secrets(memory: object, count: int = 8) -> list[StoredTurn]:
    assert hasattr(memory, "remember_many")
    turns: list[StoredTurn] = memory.remember_many(
        [
            Turn(
                role="narrator",
                text=f"{word} is what we talked about, in sentence {i}: {' '.join(WORDS)}.",
                name="Wilhelmina",
                session="Quarterly planning",
                time=datetime(2026, 11, 20, tzinfo=UTC),
                metadata={"confidential": "Penelope"},
            )
            for i in range(count)
            for word in WORDS
        ]
    )
    return turns


def everything_on_disk(folder: Path) -> bytes:
    files = sorted(folder.iterdir())
    assert any(file.stat().st_size for file in files)
    return b"\0".join(file.read_bytes() for file in files)


def spellings(word: str) -> Iterator[bytes]:
    for form in {word, word.casefold(), word.upper()}:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            yield form.encode(encoding)


def test_no_word_lies_in_the_file(open_memory: OpenMemory, tmp_path: Path) -> None:
    memory = open_memory(user="alice@example.org", agent="Penelope")
    write_secrets(memory)
    memory.recall("Who talked about Zanzibar?")
    for _ in range(2):
        disk = everything_on_disk(tmp_path)
        for word in HIDDEN:
            for spelling in spellings(word):
                assert spelling not in disk, word
        memory.close()


@pytest.mark.parametrize("by", ["ids", "session", "everything"])
def test_forget_removes_every_trace(open_memory: OpenMemory, tmp_path: Path, by: str) -> None:
    kept = open_memory(user="bob").remember("user", "This one stays.")
    memory = open_memory(user="alice@example.org", agent="Penelope")
    other = memory.remember("user", "So does this one.", session="another")
    turns = write_secrets(memory)
    traces = stored_bytes(tmp_path / "memory.db", keep={kept.id, other.id})
    if by == "everything":
        traces |= scope_bytes(tmp_path / "memory.db", user_turn=other.id)
    before = everything_on_disk(tmp_path)
    assert all(trace in before for trace in traces)

    if by == "ids":
        receipt = memory.forget(turn_ids=(turn.id for turn in turns))
    elif by == "session":
        receipt = memory.forget(session="Quarterly planning")
    else:
        receipt = memory.forget(everything=True)

    assert receipt.turns == len(turns) + (by == "everything")
    for _ in range(2):
        disk = everything_on_disk(tmp_path)
        assert not [trace for trace in traces if trace in disk]
        assert not [word for word in HIDDEN for form in spellings(word) if form in disk]
        memory.close()
    left = [] if by == "everything" else [other]
    assert open_memory(user="alice@example.org", agent="Penelope").history() == left
    assert open_memory(user="bob").history() == [kept]


def stored_bytes(path: Path, keep: set[int | None]) -> set[bytes]:
    """Every blob long enough to be told from chance that belongs to turns not in ``keep``."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT turns.id, code, gists, extra, sessions.digest, sessions.hidden,"
            " speakers.digest, speakers.hidden, data FROM turns JOIN sessions ON turns.session ="
            " sessions.id JOIN speakers ON turns.speaker = speakers.id"
            " JOIN blocks ON blocks.scope = turns.scope"
        ).fetchall()
    connection.close()
    shared = {blob for row in rows if row[0] in keep for blob in row[1:]}
    return {
        blob for row in rows if row[0] not in keep for blob in row[1:] if blob and len(blob) >= 8
    } - shared


def scope_bytes(path: Path, user_turn: int | None) -> set[bytes]:
    with sqlite3.connect(path) as connection:
        row = connection.execute(
            "SELECT user, agent FROM scopes JOIN turns ON turns.scope = scopes.id"
            " WHERE turns.id = ?",
            (user_turn,),
        ).fetchone()
    connection.close()
    return {row[0]}  # the agent's name may be another user's agent too


def test_recall_after_forget(open_memory: OpenMemory) -> None:
    memory, elsewhere = open_memory(), open_memory()
    dog = memory.remember("user", "My dog is called Biscuit.")
    cat = memory.remember("user", "My cat is called Biscuit too.")
    assert {hit.turn.id for hit in elsewhere.recall("Biscuit")} == {dog.id, cat.id}
    memory.forget(turn_ids=[dog.id])
    assert [hit.turn.id for hit in elsewhere.recall("Biscuit")] == [cat.id]
    memory.forget(everything=True)
    assert elsewhere.recall("Biscuit") == []


def test_ids_are_never_given_twice(open_memory: OpenMemory) -> None:
    memory = open_memory()
    first = memory.remember("user", "Biscuit one.")
    assert memory.recall("Biscuit")
    memory.forget(everything=True)
    second = memory.remember("user", "Biscuit two.")
    assert second.id > first.id
    assert [hit.text for hit in memory.recall("Biscuit")] == ["Biscuit two."]
    with pytest.raises(NotFoundError):
        memory.forget(turn_ids=[first.id])


@pytest.mark.parametrize("unknown", [0, -1, 999_999, 2**63, 10**30])
def test_unknown_turns_are_refused_and_nothing_is_forgotten(
    open_memory: OpenMemory, unknown: int
) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    with pytest.raises(NotFoundError, match=str(unknown)):
        memory.forget(turn_ids=[turn.id, unknown])
    assert memory.history() == [turn]


def test_a_turn_of_another_user_is_unknown(open_memory: OpenMemory) -> None:
    turn = open_memory(user="alice").remember("user", "Mine.")
    stranger = open_memory(user="bob")
    for _ in range(2):  # before and after the stranger has turns
        with pytest.raises(NotFoundError):
            stranger.forget(turn_ids=[turn.id])
        stranger.remember("user", "Yours.")
    assert open_memory(user="alice").history() == [turn]


def test_unknown_session(open_memory: OpenMemory) -> None:
    memory = open_memory(session="mine")
    with pytest.raises(NotFoundError, match="nowhere"):
        memory.forget(session="nowhere")
    assert memory.forget(session="mine").turns == 0


def test_forget_takes_one_thing(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", "Stay.")
    with pytest.raises(InvalidInputError, match="one of"):
        memory.forget()
    with pytest.raises(InvalidInputError, match="one of"):
        memory.forget(turn_ids=[turn.id], everything=True)
    assert memory.forget(turn_ids=[]).turns == 0
    assert memory.history() == [turn]
    assert memory.forget(turn_ids=[turn.id, turn.id]).turns == 1


def test_turns_are_forgotten_in_the_transaction_that_stores_others(
    open_memory: OpenMemory, tmp_path: Path
) -> None:
    memory = open_memory()
    old, kept, keyed = memory.remember_many(
        [
            Turn(role="user", text="Zanzibar."),
            Turn(role="user", text="Stay."),
            Turn(role="user", text="Lisbon.", key="k"),
        ]
    )
    traces = stored_bytes(tmp_path / "memory.db", keep={kept.id, keyed.id})
    with pytest.raises(InvalidInputError):
        memory.remember_many([Turn(role="user", text="\ud800")], forget=[old.id])
    assert memory.history() == [old, kept, keyed]
    gone = [old.id, keyed.id, keyed.id + 1, 10**30]
    [new] = memory.remember_many([Turn(role="user", text="Lisbon.", key="k")], forget=gone)
    assert memory.history() == [kept, new]
    assert new.id != keyed.id
    assert "Zanzibar." not in {hit.text for hit in memory.recall("Zanzibar")}
    assert memory.remember_many([], forget=[kept.id]) == []
    memory.close()
    disk = everything_on_disk(tmp_path)
    assert traces
    assert not [trace for trace in traces if trace in disk]


def test_turns_of_another_user_are_not_forgotten_with_a_batch(open_memory: OpenMemory) -> None:
    turn = open_memory(user="alice").remember("user", "Mine.")
    open_memory(user="bob").remember_many([Turn(role="user", text="Yours.")], forget=[turn.id])
    assert open_memory(user="alice").history() == [turn]
