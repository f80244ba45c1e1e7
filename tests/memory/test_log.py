"""A log says who changed what and when, and has no word of it."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, DamageWarning, LogEntry, ReadOnlyError, Turn
from r3mem_agents.errors import InvalidInputError, NotFoundError
from tests.memory.fake_model import FakeModel

WORDS = ("Zanzibar", "Wilhelmina", "planning", "confidential", "Penelope", "message-4711")


def opened(path: Path | str, **options: Any) -> CompressiveMemory:
    model: Any = FakeModel()
    return CompressiveMemory(path, model=model, **options)


def told(entries: list[LogEntry]) -> list[tuple[str, tuple[int, ...], str | None]]:
    return [(one.verb, one.turn_ids, one.door) for one in entries]


def secret(i: int, text: str = "Zanzibar") -> Turn:
    return Turn(
        role="narrator",
        text=f"{text} is what we talked about, in sentence {i}.",
        name="Wilhelmina",
        session="planning",
        metadata={"confidential": "Penelope"},
        key=f"message-4711-{i}",
    )


def change_all(memory: CompressiveMemory) -> list[int]:
    """Change a memory in every way, and forget everything; returns the ids."""
    ids = [turn.id for turn in memory.remember_many([secret(i) for i in range(3)])]
    memory.remember_many([secret(0, "Zanzibar itself"), secret(3)])
    memory.remember_many([secret(1)], replace=True, forget=[ids[2]])
    memory.edit(ids[0], "Zanzibar again.", keep_versions=True)
    memory.pin([ids[0]])
    memory.pin([ids[0]], pinned=False)
    memory.forget(session="planning")
    memory.forget(everything=True)
    return ids


def test_every_change_is_an_entry(path: Path) -> None:
    began = datetime.now(UTC)
    with opened(path, user="alice", agent="bot") as memory:
        assert memory.log() == []
        memory.remember("user", "Before there is a log.")
        memory.keep_log(True)
        memory.keep_log(True)
        one, two, three = change_all(memory.scoped(door="rest"))
        entries = memory.log()
        four, five = three + 1, three + 2
        assert told(entries) == [
            ("keep_log", (), "python"),
            ("remember", (one, two, three), "rest"),
            ("edit", (one,), "rest"),
            ("remember", (four,), "rest"),
            ("forget", (two, three), "rest"),
            ("remember", (five,), "rest"),
            ("edit", (one,), "rest"),
            ("pin", (one,), "rest"),
            ("unpin", (one,), "rest"),
            ("forget", (one, four, five), "rest"),
            ("forget", (1,), "rest"),
        ]
    assert {(one.user, one.agent) for one in entries} == {("alice", "bot")}
    assert all(one.turns == len(one.turn_ids) for one in entries)
    times = [one.time for one in entries]
    assert times == sorted(times)
    assert began <= times[0] <= times[-1] <= datetime.now(UTC)
    with opened(path, user="alice", agent="bot", read_only=True) as memory:
        assert memory.log() == entries, "it stays when everything is forgotten"
        with pytest.raises(ReadOnlyError):
            memory.keep_log(False)


def test_a_log_has_no_word_even_without_masks(path: Path) -> None:
    with opened(path, user="alice@example.org", agent="bot") as memory:
        memory.keep_log(True)
        change_all(memory)
        shown = repr(memory.log())
        assert memory.verify().ok
    with closing(sqlite3.connect(path)) as connection:
        [file_secret] = connection.execute("SELECT secret FROM meta").fetchone()
        rows = connection.execute("SELECT * FROM log").fetchall()
    assert len(rows) > 8
    blobs = [value for row in rows for value in row if isinstance(value, bytes)]
    lifted = [unmasked(file_secret, blob) for blob in blobs]
    inflated = [plain for plain in map(inflate, lifted) if plain]
    assert b"python" in inflated, "the masks were lifted"
    everything = b"\0".join([path.read_bytes(), *blobs, *lifted, *inflated]) + shown.encode()
    for word in WORDS:
        for form in (word, word.casefold(), word.upper()):
            assert form.encode() not in everything
    assert b"alice@example.org" not in b"\0".join([*blobs, *lifted, *inflated])


def unmasked(file_secret: bytes, data: bytes) -> bytes:
    stream = hashlib.shake_256(file_secret).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream, strict=True))


def inflate(data: bytes) -> bytes | None:
    try:
        return zlib.decompress(data, wbits=-15)
    except zlib.error:
        return None


verbs = st.sampled_from(["remember", "edit", "forget", "pin", "nothing"])


@given(steps=st.lists(st.tuples(st.sampled_from(["alice", "bob"]), verbs), max_size=12))
def test_the_log_of_a_user_tells_what_is_there(steps: list[tuple[str, str]]) -> None:
    with opened(":memory:", user="alice") as memory:
        memory.keep_log(True)
        for user, verb in steps:
            mine = memory.scoped(user=user)
            ids = mine.turn_ids()
            if verb == "remember":
                mine.remember("user", f"Something of {user}.")
            elif verb == "edit" and ids:
                mine.edit(ids[0], "Something else.")
            elif verb == "forget":
                mine.forget(turn_ids=ids[:2])
            elif verb == "pin" and ids:
                mine.pin(ids)
        for user in ("alice", "bob"):
            there: set[int] = set()
            for one in memory.scoped(user=user).log():
                assert one.user == user
                if one.verb == "remember":
                    there |= {*one.turn_ids}
                elif one.verb == "forget":
                    assert there.issuperset(one.turn_ids)
                    there -= {*one.turn_ids}
            assert sorted(there) == memory.scoped(user=user).turn_ids()


def test_what_fails_is_no_entry(path: Path) -> None:
    with opened(path) as memory:
        memory.keep_log(True)
        turn = memory.remember("user", "Stay.")
        for fails in (
            lambda: memory.forget(turn_ids=[turn.id, 4711]),
            lambda: memory.pin([turn.id, 4711]),
            lambda: memory.edit(4711, "No."),
        ):
            with pytest.raises(NotFoundError):
                fails()
        memory.remember_many([])
        memory.forget(turn_ids=[])
        assert told(memory.log())[1:] == [("remember", (turn.id,), "python")]


def test_what_expires_is_an_entry_of_nobody(path: Path) -> None:
    with opened(path) as memory:
        memory.keep_log(True)
        turn = memory.remember("user", "Soon gone.", expires=timedelta(milliseconds=1))
        threading.Event().wait(0.01)
        kept = memory.remember("user", "Stay.")
        assert told(memory.log())[1:] == [
            ("remember", (turn.id,), "python"),
            ("expire", (turn.id,), None),
            ("remember", (kept.id,), "python"),
        ]


def test_switched_off_it_leaves_no_byte(path: Path) -> None:
    with opened(path) as memory:
        memory.keep_log(True)
        change_all(memory.scoped(door="a door that nobody else has"))
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT user, door, turns FROM log").fetchall()
        memory.forget(turn_ids=[])
        traces = {value for row in rows for value in row if value and len(value) >= 8}
        assert all(trace in path.read_bytes() for trace in traces)
        memory.keep_log(False)
        assert memory.log() == []
        disk = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert not [trace for trace in traces if trace in disk]
        memory.remember("user", "After it.")
        assert memory.log() == []
        memory.keep_log(True)
        assert [one.verb for one in memory.log()] == ["keep_log"]


def test_another_process_adds_to_a_log_that_is_kept(path: Path) -> None:
    with opened(path) as memory, opened(path, door="other") as other:
        other.remember("user", "Before.")
        memory.keep_log(True)
        turn = other.remember("user", "After.")
        assert told(memory.log())[1:] == [("remember", (turn.id,), "other")]
        memory.keep_log(False)
        other.remember("user", "Nobody notes this.")
        assert other.log() == []


@pytest.mark.parametrize(
    "damage", ["time_us = time_us + 1", "change = 99", "door = NULL", "turns = 'text'", "door = 7"]
)
def test_damaged_entries_are_left_out_by_name(path: Path, damage: str) -> None:
    with opened(path) as memory:
        memory.keep_log(True)
        for _ in range(3):
            memory.remember("user", "Something.")
        whole = memory.log()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE log SET {damage} WHERE id = 2")
        connection.commit()
    with opened(path) as memory:
        with pytest.warns(DamageWarning, match="rows 2 of the log"):
            assert memory.log() == [whole[0], *whole[2:]]
        assert memory.verify().problems == ("row 2 of log: it is not what was written",)
        assert len(memory.history()) == 3


def test_a_door_has_a_name(path: Path) -> None:
    with opened(path, door="my app") as memory:
        assert memory.door == memory.scoped(user="bob").door == "my app"
        assert memory.scoped(door="another").door == "another"
        for wrong in ("", " ", 7):
            with pytest.raises(InvalidInputError, match="door"):
                memory.scoped(door=wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidInputError, match="True or False"):
            memory.keep_log("off")  # type: ignore[arg-type]
