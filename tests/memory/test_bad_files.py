"""Bad files and places: a named error that says what to do, and nothing stored is lost."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.errors import (
    FormatError,
    InvalidInputError,
    StoreCorruptError,
    StoreUnavailableError,
)
from r3mem_agents.store import connections
from r3mem_agents.store.places import Place
from tests.memory.filling import fill


@pytest.mark.parametrize(
    "where",
    [
        None,
        5,
        b"bytes.db",
        "",
        "  ",
        "postgresql://host/db",
        "no url://",
        "sqlite://host/memory.db",
        "sqlite:///memory.db?mode=ro",
        "sqlite:///memory.db?uri=true",
        "sqlite:///?uri=true",
        "sqlite:///file:?uri=true",
        "sqlite:///file://localhost?uri=true",
        "sqlite:///file:#memory.db?uri=true",
        "sqlite:///file:%00memory.db?uri=true",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:memory.db?mode=memory&uri=true",
        "sqlite:///file:memory.db?mode=unknown&uri=true",
        "sqlite:///file:memory.db?vfs=unknown&uri=true",
        "sqlite:///file://host/memory.db?uri=true",
        "\ud800.db",
        "\udcff.db",
        "a\0b",
        "x" * 9999,
    ],
)
def test_places_that_are_none(
    where: Any, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError):
        CompressiveMemory(where, model=fake)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("uri", ["file:", "file://", "file://localhost"])
def test_the_uri_of_a_file(uri: str, tmp_path: Path, fake: Any) -> None:
    turns = fill(tmp_path / "what? now#.db", fake)
    where = f"sqlite:///{uri}{tmp_path}/what%3f%20now%23.db?cache=private&uri=true"
    with CompressiveMemory(where, model=fake) as memory:
        assert memory.history() == turns


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_gone_while_it_is_open(path: Path, fake: Any, replaced: bool) -> None:
    kept = fill(path, fake)
    with CompressiveMemory(path, model=fake) as memory:
        copy = path.with_name("copy.db")
        memory.backup(copy)
        memory.remember("user", "This goes with the file.")
        if replaced:
            copy.replace(path)
        else:
            path.unlink()
        for verb in (lambda: memory.remember("user", "Nobody would find this."), memory.history):
            with pytest.raises(StoreUnavailableError, match="removed or replaced .* open it again"):
                verb()
    with CompressiveMemory(path, model=fake) as memory:
        assert memory.history() == (kept if replaced else [])


def test_a_folder(tmp_path: Path, fake: Any) -> None:
    with pytest.raises(StoreUnavailableError, match="is a folder; give the path of a file"):
        CompressiveMemory(tmp_path, model=fake)


@pytest.mark.parametrize("missing", ["nowhere/memory.db", "file.txt/memory.db"])
def test_no_folder(tmp_path: Path, missing: str, fake: Any) -> None:
    (tmp_path / "file.txt").write_text("a file")
    with pytest.raises(StoreUnavailableError, match="no folder .* create it"):
        CompressiveMemory(tmp_path / missing, model=fake)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_folder_that_cannot_be_written(fake: Any) -> None:
    with pytest.raises(StoreUnavailableError, match="permissions"):
        CompressiveMemory("/proc/memory.db", model=fake)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_file_that_cannot_be_written(path: Path, fake: Any) -> None:
    fill(path, fake)
    path.chmod(0o400)
    with (
        pytest.raises(StoreUnavailableError, match="permissions"),
        CompressiveMemory(path, model=fake) as memory,
    ):
        memory.remember("user", "No.")


def test_a_database_opened_for_reading(path: Path, fake: Any) -> None:
    turns = fill(path, fake)
    with CompressiveMemory(f"sqlite:///file:{path}?mode=ro&uri=true", model=fake) as memory:
        with pytest.raises(StoreUnavailableError, match="permissions"):
            memory.remember("user", "No.")
        assert memory.history() == turns


@pytest.mark.parametrize("content", [b"Dear diary, today " * 100, bytes(range(256)) * 40])
def test_a_file_that_is_no_database(path: Path, content: bytes, fake: Any) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="no database; give another path"):
        CompressiveMemory(path, model=fake)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mark", [0, 12345])
def test_a_database_of_another_program(path: Path, mark: int, fake: Any) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.execute(f"PRAGMA application_id = {mark}")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="another program; give another path"):
        CompressiveMemory(path, model=fake)
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_empty_file_is_a_new_memory(path: Path, fake: Any) -> None:
    path.touch()
    assert len(fill(path, fake, 1)) == 1


def read_all(path: Path, model: Any) -> None:
    with CompressiveMemory(path, model=model) as memory:
        memory.history()
        memory.recall("words")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.95])
def test_a_truncated_file(path: Path, share: float, fake: Any) -> None:
    fill(path, fake)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreCorruptError, match="restore it from a copy"):
        read_all(path, fake)


def test_an_overwritten_page(path: Path, fake: Any) -> None:
    fill(path, fake)
    content = bytearray(path.read_bytes())
    content[2 * 4096 : -4096] = b"\xa5" * (len(content) - 3 * 4096)
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="restore it from a copy"):
        read_all(path, fake)


def damage(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_a_missing_table(path: Path, fake: Any) -> None:
    fill(path, fake)
    damage(path, "DROP TABLE speakers")
    with pytest.raises(StoreCorruptError, match="no such table"):
        read_all(path, fake)


def test_a_header_that_is_there_twice(path: Path, fake: Any) -> None:
    fill(path, fake, 2)
    damage(path, "INSERT INTO meta SELECT 2, format, secret, secret_checksum, model, 0 FROM meta")
    with pytest.raises(StoreCorruptError, match=r"memory\.db is damaged .* restore it"):
        CompressiveMemory(path, model=fake)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET format = 'one'",
        "UPDATE meta SET format = -1",
        "UPDATE meta SET secret = x'00'",
        "UPDATE meta SET secret = 'text'",
        "UPDATE meta SET secret_checksum = secret_checksum + 1",
        "DELETE FROM meta",
    ],
)
def test_a_damaged_header(path: Path, statement: str, fake: Any) -> None:
    fill(path, fake, 2)
    damage(path, statement)
    with pytest.raises(StoreCorruptError, match=r"memory\.db is damaged .* backup"):
        CompressiveMemory(path, model=fake)


def test_an_earlier_format(path: Path, fake: Any) -> None:
    fill(path, fake)
    damage(path, "UPDATE meta SET format = 1")
    with pytest.raises(FormatError, match="has format 1 .*export"):
        CompressiveMemory(path, model=fake)


def test_a_newer_format(path: Path, fake: Any) -> None:
    fill(path, fake)
    damage(path, "UPDATE meta SET format = 99")
    with pytest.raises(FormatError, match="has format 99.*upgrade"):
        CompressiveMemory(path, model=fake)


def test_another_writer_that_does_not_end(
    path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = fill(path, fake)
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.1)
    with CompressiveMemory(path, model=fake) as memory:
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match="locked by another program for 0.1 s"):
            memory.remember("user", "Wait.")
        with pytest.raises(StoreUnavailableError, match="locked"):
            memory.forget(everything=True)
        assert memory.history() == turns
        blocker.close()
        memory.remember("user", "Now.")


def test_a_full_disk(path: Path, fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = fill(path, fake)
    connect = connections.connect

    def limited(place: Place) -> sqlite3.Connection:
        """Every connection may use only a few pages more than the file has."""
        connection = connect(place)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        return connection

    monkeypatch.setattr(connections, "connect", limited)
    with CompressiveMemory(path, model=fake) as memory:
        with pytest.raises(StoreUnavailableError, match="disk .* is full; nothing was changed"):
            memory.remember_many(
                [Turn(role="user", text=f"More {i} {'words ' * 30}") for i in range(500)]
            )
        assert memory.history() == turns
        assert memory.remember("user", "A little.").id
