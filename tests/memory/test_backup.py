"""A copy of a memory is whole: one that backup makes at any time, a plain one when it is idle."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError, StoreCorruptError, StoreUnavailableError
from r3mem_agents.store import idling

SAID = [
    Turn(role="user", text=f"Number {number}.", session=f"s{number % 3}") for number in range(30)
]


def copied(source: Path, target: Path, model: Any) -> list[StoredTurn]:
    shutil.copy(source, target)  # without -wal and -shm
    try:
        with CompressiveMemory(target, model=model) as memory:
            return memory.history()
    except StoreCorruptError:
        return []  # copied in the middle of a checkpoint


def test_a_plain_copy_of_an_idle_file_has_all_turns(tmp_path: Path, fake: Any) -> None:
    with CompressiveMemory(tmp_path / "m.db", model=fake) as memory:
        told = memory.remember_many(SAID[:20])
        for number in range(3):
            while copied(tmp_path / "m.db", tmp_path / "copy.db", fake) != told:
                time.sleep(0.05)
            told.append(memory.remember("user", f"More {number}."))


def test_closing_puts_everything_into_the_file_while_others_have_it_open(
    tmp_path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idling, "IDLE_S", 3600.0)
    path = tmp_path / "m.db"
    with CompressiveMemory(path, model=fake) as other:
        with CompressiveMemory(path, model=fake) as memory:
            told = memory.remember_many(SAID)
            assert copied(path, tmp_path / "early.db", fake) == []
        assert copied(path, tmp_path / "late.db", fake) == told == other.history()


def test_nobody_waits_for_a_memory_that_is_closed(tmp_path: Path, fake: Any) -> None:
    before = threading.active_count()
    for number in range(3):
        with CompressiveMemory(tmp_path / "m.db", model=fake) as memory:
            memory.remember("user", f"Number {number}.")
        assert threading.active_count() == before


def test_a_backup_is_the_memory_of_all_users(tmp_path: Path, fake: Any) -> None:
    with CompressiveMemory(tmp_path / "m.db", user="alice", model=fake) as memory:
        gone = memory.remember("user", "Forget the word abracadabra.")
        told = memory.remember_many(SAID)
        bobs = memory.scoped(user="bob").remember("user", "I am Bob.")
        assert memory.forget(turn_ids=[gone.id]).turns == 1
        memory.backup(tmp_path / "copy.db")
        memory.remember("user", "Said later.")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "m.db"]
    with CompressiveMemory(tmp_path / "copy.db", user="alice", model=fake) as copy:
        assert copy.history() == told
        assert copy.scoped(user="bob").history() == [bobs]
        assert copy.verify().ok
        new = copy.remember("user", "An id is never given twice.")
        assert new.id > bobs.id
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_memory_without_a_file_can_be_kept(tmp_path: Path, fake: Any) -> None:
    with CompressiveMemory(":memory:", model=fake) as memory:
        told = memory.remember_many(SAID)
        memory.backup(tmp_path / "kept.db")
        told_later = memory.remember("user", "More.")
        assert memory.history() == [*told, told_later]
    with CompressiveMemory(tmp_path / "kept.db", model=fake) as kept:
        assert kept.history() == told


def test_backups_while_others_write(tmp_path: Path, fake: Any) -> None:
    def write() -> None:
        with CompressiveMemory(tmp_path / "m.db", model=fake) as other:
            for number in range(0, 30, 3):
                other.remember_many(SAID[number : number + 3])

    with CompressiveMemory(tmp_path / "m.db", model=fake) as memory:
        writer = threading.Thread(target=write)
        writer.start()
        for number in range(5):
            memory.backup(tmp_path / f"{number}.db")
        writer.join()
        texts = [turn.text for turn in memory.history()]
    assert len(texts) == 30
    for number in range(5):
        with CompressiveMemory(tmp_path / f"{number}.db", model=fake) as copy:
            found = [turn.text for turn in copy.history()]
            assert found == texts[: len(found)]
            assert len(found) % 3 == 0


def test_a_backup_overwrites_nothing(tmp_path: Path, fake: Any) -> None:
    (tmp_path / "diary.txt").write_text("Dear diary")
    with CompressiveMemory(tmp_path / "m.db", model=fake) as memory:
        told = memory.remember("user", "Stay.")
        for path in ("diary.txt", "m.db"):
            with pytest.raises(InvalidInputError, match="a file at .* already"):
                memory.backup(tmp_path / path)
        for wrong in (":memory:", "sqlite:///x.db", "", 5, "x\0.db", "\udcff.db"):
            with pytest.raises(InvalidInputError):
                memory.backup(wrong)  # type: ignore[arg-type]
        for place in (tmp_path, tmp_path / "no folder" / "copy.db"):
            with pytest.raises(StoreUnavailableError):
                memory.backup(place)
        assert memory.history() == [told]
    assert (tmp_path / "diary.txt").read_text() == "Dear diary"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["diary.txt", "m.db"]


def test_a_backup_that_fails_leaves_nothing(
    tmp_path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with CompressiveMemory(tmp_path / "m.db", model=fake) as memory:
        memory.remember("user", "Stay.")
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(StoreUnavailableError, match="copy.db: .*No space left"):
            memory.backup(tmp_path / "copy.db")
    assert [file.name for file in tmp_path.iterdir()] == ["m.db"]


def test_a_damaged_file_is_not_copied_as_if_it_were_whole(tmp_path: Path, fake: Any) -> None:
    path = tmp_path / "m.db"
    with CompressiveMemory(path, model=fake) as memory:
        memory.remember_many([Turn(role="user", text="words " * 50) for _ in range(200)])
    content = bytearray(path.read_bytes())
    content[-4096 * 3 : -4096] = b"\xa5" * 8192
    path.write_bytes(content)
    with CompressiveMemory(path, model=fake) as memory:
        with pytest.raises(StoreCorruptError, match="damaged"):
            memory.backup(tmp_path / "copy.db")
        assert not memory.verify().ok
    assert not (tmp_path / "copy.db").exists()
