"""An edited turn keeps all but its text, and what it said before is gone, or kept as a version."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, DamageWarning, Turn, recompress
from r3mem_agents.errors import DamagedTurnError, InvalidInputError, NotFoundError
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel
from tests.memory.test_forget import everything_on_disk, stored_bytes

ROOT = Path(__file__).parents[2]
FIRST, SECOND, THIRD = "Zanzibar is far.", "Lisbon is near.", "Porto is nearer."
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def code_of(path: Path, turn: int) -> bytes:
    with sqlite3.connect(path) as connection:
        [code] = connection.execute("SELECT code FROM turns WHERE id = ?", (turn,)).fetchone()
    connection.close()
    assert isinstance(code, bytes)
    return code


def test_all_but_the_text_stays(open_memory: OpenMemory) -> None:
    memory, other = open_memory(), open_memory()
    told = {"name": "Alice", "session": "trip", "metadata": {"a": [1]}, "key": "k", "time": WHEN}
    end = datetime(2999, 1, 1, tzinfo=UTC)
    turn = memory.remember("user", FIRST, **told, expires=end)  # type: ignore[arg-type]
    last = memory.remember("user", "And so on.", session="trip")
    memory.pin([turn.id])
    assert other.recall("Zanzibar")
    edited = memory.edit(turn.id, SECOND)
    assert (edited.id, edited.text, edited.pinned) == (turn.id, SECOND, True)
    assert (edited.time, edited.metadata, edited.key) == (WHEN, {"a": [1]}, "k")
    assert (edited.name, edited.session, edited.expires) == ("Alice", "trip", end)
    for one in (memory, other):
        assert one.history() == [edited, last]
        assert one.fetch(keys=["k"], session="trip") == [edited]
        assert FIRST not in [hit.text for hit in one.recall("Zanzibar")]
        assert [hit.turn for hit in one.recall("Lisbon", 1)] == [edited]
        assert one.versions(turn.id) == []


@pytest.mark.parametrize("keep", [False, True])
def test_a_turn_is_edited_and_pinned_at_once(open_memory: OpenMemory, keep: bool) -> None:
    memory, other = open_memory(), open_memory()
    memory.keep_log(True)
    turn = memory.remember("user", FIRST)
    logged = len(memory.log())
    for pinned, text in ((True, SECOND), (False, THIRD), (True, THIRD)):
        edited = memory.edit(turn.id, text, keep_versions=keep, pinned=pinned)
        assert (edited.text, edited.pinned) == (text, pinned)
        assert memory.history() == other.history() == [edited]
        assert (text in other.context("And so on?")) is pinned
    assert memory.edit(turn.id, FIRST).pinned
    versions = [one.text for one in memory.versions(turn.id)]
    assert versions == []
    verbs = [one.verb for one in memory.log()[logged:]]
    same = ["pin"] if keep else ["edit", "pin"]
    assert verbs == ["edit", "pin", "edit", "unpin", *same, "edit"]


def test_where_an_edit_fails_nothing_is_pinned(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", FIRST)
    with pytest.raises(InvalidInputError):
        memory.edit(turn.id, "\ud800", pinned=True)
    with pytest.raises(NotFoundError):
        memory.edit(turn.id + 1, SECOND, pinned=True)
    assert memory.history() == [turn]


@pytest.mark.parametrize("kept_before", [False, True])
def test_the_old_text_leaves_no_byte(
    open_memory: OpenMemory, tmp_path: Path, kept_before: bool
) -> None:
    memory = open_memory()
    turn = memory.remember("user", FIRST)
    traces = stored_bytes(tmp_path / "memory.db", keep=set())
    if kept_before:
        memory.edit(turn.id, SECOND, keep_versions=True)
        traces |= stored_bytes(tmp_path / "memory.db", keep=set())
    memory.edit(turn.id, THIRD)
    speaker = {blob for blob in stored_bytes(tmp_path / "memory.db", keep=set()) if blob in traces}
    memory.close()
    disk = everything_on_disk(tmp_path)
    gone = traces - speaker
    assert len(gone) > 2
    assert not [trace for trace in gone if trace in disk]
    memory = open_memory()
    assert memory.versions(turn.id) == []
    assert [turn.text for turn in memory.history()] == [THIRD]


def test_versions_are_listed_and_nothing_else_shows_them(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", FIRST, key="k", session="trip")
    memory.edit(turn.id, SECOND, keep_versions=True)
    now = memory.edit(turn.id, THIRD, keep_versions=True)
    versions = memory.versions(turn.id)
    assert [one.text for one in versions] == [FIRST, SECOND]
    assert {(one.id, one.key, one.time) for one in versions} == {(turn.id, "k", turn.time)}
    assert memory.history() == memory.history("trip") == [now]
    assert memory.turn_ids() == memory.turn_ids("trip") == [turn.id]
    assert (memory.stats().turns, memory.stats().text_bytes) == (1, len(THIRD))
    assert [one.turns for one in memory.users()] == [1]
    assert memory.fetch(turn_ids=range(1, 9)) == [now]
    assert [hit.text for hit in memory.recall("Is Zanzibar or Lisbon far or near?", 9)] in (
        [],
        [THIRD],
    )
    assert memory.summary("trip", 9) == [now]
    assert memory.verify().ok
    for unknown in (turn.id + 1, turn.id + 2):
        with pytest.raises(NotFoundError):
            memory.forget(turn_ids=[unknown])
        with pytest.raises(NotFoundError):
            memory.pin([unknown])


def test_the_same_words_are_no_version(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", FIRST)
    assert memory.edit(turn.id, FIRST, keep_versions=True) == turn
    assert memory.versions(turn.id) == []
    memory.edit(turn.id, SECOND, keep_versions=True)
    memory.edit(turn.id, SECOND)  # which asks for no version to be kept
    assert memory.versions(turn.id) == []


def test_a_key_written_again_keeps_no_version(open_memory: OpenMemory) -> None:
    memory = open_memory()
    turn = memory.remember("user", FIRST, key="k")
    memory.edit(turn.id, SECOND, keep_versions=True)
    memory.pin([turn.id])
    memory.remember("user", SECOND, key="k")
    assert [one.text for one in memory.versions(turn.id)] == [FIRST]
    memory.remember("user", THIRD, key="k")
    assert memory.versions(turn.id) == []
    assert [one.pinned for one in memory.history()] == [True]


@pytest.mark.parametrize("by", ["id", "session", "everything", "batch", "replace"])
def test_versions_are_forgotten_with_their_turn(
    open_memory: OpenMemory, tmp_path: Path, by: str
) -> None:
    memory = open_memory()
    kept = memory.remember("user", "This stays.", session="another")
    turn = memory.remember("user", FIRST, session="trip", key="k")
    memory.edit(turn.id, SECOND, keep_versions=True)
    memory.pin([turn.id])
    traces = stored_bytes(tmp_path / "memory.db", keep={kept.id})
    if by == "id":
        assert memory.forget(turn_ids=[turn.id]).turn_ids == (turn.id,)
    elif by == "session":
        receipt = memory.forget(session="trip")
        assert (receipt.turns, receipt.text_bytes) == (1, len(FIRST + SECOND))
    elif by == "everything":
        assert memory.forget(everything=True).turns == 2
    elif by == "batch":
        memory.remember_many([], forget=[turn.id])
    else:
        new = Turn(role="user", text="Another.", session="trip", key="k")
        memory.remember_many([new], replace=True)
    memory.close()
    disk = everything_on_disk(tmp_path)
    with sqlite3.connect(tmp_path / "memory.db") as connection:
        names = "SELECT digest, hidden FROM sessions UNION SELECT digest, hidden FROM speakers"
        traces -= {blob for row in connection.execute(names) for blob in row}
        assert connection.execute("SELECT count(*) FROM marks").fetchone() == (0,)
    connection.close()
    assert len(traces) > 3
    assert not [trace for trace in traces if trace in disk]
    assert open_memory().verify().ok


@pytest.mark.parametrize("unknown", [0, -1, 999_999, 2**63, 10**30])
def test_unknown_turns_are_refused(open_memory: OpenMemory, unknown: int) -> None:
    memory = open_memory()
    turn = memory.remember("user", FIRST)
    with pytest.raises(NotFoundError, match=str(unknown)):
        memory.edit(unknown, SECOND)
    with pytest.raises(NotFoundError, match=str(unknown)):
        memory.versions(unknown)
    with pytest.raises(NotFoundError, match=str(unknown)):
        memory.pin([turn.id, unknown])
    assert memory.history() == [turn]


def test_turns_of_another_user_are_unknown(open_memory: OpenMemory) -> None:
    turn = open_memory(user="alice").remember("user", FIRST)
    stranger = open_memory(user="bob")
    for _ in range(2):  # before and after the stranger has turns
        with pytest.raises(NotFoundError):
            stranger.edit(turn.id, SECOND)
        with pytest.raises(NotFoundError):
            stranger.pin([turn.id])
        with pytest.raises(NotFoundError):
            stranger.versions(turn.id)
        stranger.remember("user", "Yours.")
    assert open_memory(user="alice").history() == [turn]


def test_wrong_arguments_are_refused(open_memory: OpenMemory) -> None:
    memory: Any = open_memory()
    turn = memory.remember("user", FIRST)
    for wrong in ("1", True, None, 1.0):
        with pytest.raises(InvalidInputError, match="a turn's id is an int"):
            memory.edit(wrong, SECOND)
        with pytest.raises(InvalidInputError, match="a turn's id is an int"):
            memory.versions(wrong)
    with pytest.raises(InvalidInputError, match="list of int"):
        memory.pin(turn.id)
    with pytest.raises(InvalidInputError, match="surrogate"):
        memory.edit(turn.id, "\ud800")
    assert memory.history() == [turn]


EDIT_AND_DIE = """
import os, signal, sys
from r3mem_agents import CompressiveMemory
from r3mem_agents.store import store, writing
from tests.memory.fake_model import FakeModel

memory = CompressiveMemory(sys.argv[1], model=FakeModel())
real = writing.edit_turns

def edit_and_die(*arguments):
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "before":
    vars(store)["edit_turns"] = edit_and_die
memory.edit(1, "Lisbon is near.", keep_versions=sys.argv[3] == "kept")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kept", ["kept", "dropped"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_kill_9_leaves_the_one_text_or_the_other(
    path: Path, fake: Any, when: str, kept: str
) -> None:
    with CompressiveMemory(path, model=fake) as memory:
        memory.remember("user", FIRST)
    old = code_of(path, 1)
    died = subprocess.run([sys.executable, "-c", EDIT_AND_DIE, str(path), when, kept], cwd=ROOT)
    assert died.returncode == -signal.SIGKILL
    with CompressiveMemory(path, model=fake) as memory:
        assert memory.verify().ok
        versions = [one.text for one in memory.versions(1)]
        told = [one.text for one in memory.history()], versions
        assert told == (
            ([FIRST], []) if when == "before" else ([SECOND], [FIRST] if kept == "kept" else [])
        )
    if when == "after" and kept == "dropped":  # whoever opens it next scrubs it
        assert old not in everything_on_disk(path.parent)


EDIT_OFTEN = """
import sys
from r3mem_agents import CompressiveMemory
from tests.memory.fake_model import FakeModel

memory = CompressiveMemory(sys.argv[1], model=FakeModel())
for number in range(20):
    memory.edit(1, f"{sys.argv[2]} says {number}", keep_versions=True)
"""


def test_two_processes_edit_one_turn_and_no_text_is_lost(path: Path, fake: Any) -> None:
    with CompressiveMemory(path, model=fake) as memory:
        memory.remember("user", FIRST)
        both = [
            subprocess.Popen([sys.executable, "-c", EDIT_OFTEN, str(path), who], cwd=ROOT)
            for who in ("one", "two")
        ]
        assert [process.wait(120) for process in both] == [0, 0]
        [now] = memory.history()
        texts = [one.text for one in memory.versions(1)] + [now.text]
        said = [f"{who} says {number}" for who in ("one", "two") for number in range(20)]
        assert texts[0] == FIRST
        assert sorted(texts[1:]) == sorted(said)
        for who in ("one", "two"):
            mine = [text for text in texts if text.startswith(who)]
            assert mine == [f"{who} says {number}" for number in range(20)]
        assert memory.verify().ok


def test_another_model_takes_versions_and_marks_along(path: Path, fake: Any) -> None:
    with CompressiveMemory(path, model=fake) as memory:
        turn = memory.remember("user", FIRST, expires=timedelta(days=9))
        memory.edit(turn.id, SECOND, keep_versions=True)
        memory.pin([turn.id])
        before = memory.history(), memory.versions(turn.id)
    new: Any = FakeModel("b" * 16, encoder="b", spelling=b"another")
    recompress(path, source=fake, model=new)
    with CompressiveMemory(path, model=new) as memory:
        assert (memory.history(), memory.versions(turn.id)) == before
        assert memory.verify().ok
        memory.backup(path.with_name("copy.db"))
    with CompressiveMemory(path.with_name("copy.db"), model=new) as copy:
        assert (copy.history(), copy.versions(turn.id)) == before


@pytest.mark.parametrize(
    "damage",
    ["checksum = checksum + 1", "pinned = 7", "expires_us = 5", "version_of = 'x'", "turn = 99"],
)
def test_damaged_marks_take_no_words(path: Path, fake: Any, damage: str) -> None:
    with CompressiveMemory(path, model=fake) as memory:
        turn = memory.remember("user", FIRST, expires=timedelta(days=9))
        other = memory.remember("user", "Something else.")
        memory.edit(turn.id, SECOND, keep_versions=True)
        memory.pin([other.id])
    for mark in (1, 2, 3):
        with sqlite3.connect(path) as connection:
            whole = connection.execute("SELECT * FROM marks").fetchall()
            connection.execute(f"UPDATE marks SET {damage} WHERE turn = {mark}")
        connection.close()
        with CompressiveMemory(path, model=fake) as memory:
            texts = [one.text for one in memory.history()]
            assert texts == [SECOND, "Something else."] + ([FIRST] if mark == 3 else [])
            told = memory.verify()
            assert not told.damaged
            assert any("marks" in problem for problem in told.problems)
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM marks")
            connection.executemany("INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?, ?)", whole)
        connection.close()
    with CompressiveMemory(path, model=fake) as memory:
        assert memory.verify().ok


def test_a_damaged_version_is_named_by_its_turn(path: Path, fake: Any) -> None:
    with CompressiveMemory(path, model=fake) as memory:
        turn = memory.remember("user", FIRST)
        memory.edit(turn.id, SECOND, keep_versions=True)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE turns SET code = x'0102' WHERE id IN (SELECT turn FROM marks)")
    connection.close()
    with CompressiveMemory(path, model=fake) as memory:
        [found] = memory.verify().damaged
        assert (found.id, found.reason.partition(":")[0]) == (
            turn.id,
            "what it said before an edit",
        )
        assert [one.text for one in memory.history()] == [SECOND]
        memory.forget(turn_ids=[found.id])
        assert memory.verify().ok


def test_a_damaged_turn_is_not_edited(path: Path, fake: Any) -> None:
    with CompressiveMemory(path, model=fake) as memory:
        turn = memory.remember("user", FIRST)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE turns SET code = x'0102'")
    connection.close()
    with CompressiveMemory(path, model=fake) as memory:
        with pytest.raises(DamagedTurnError):
            memory.edit(turn.id, SECOND)
        with pytest.warns(DamageWarning):
            assert memory.history() == []
