from __future__ import annotations

import sqlite3
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, StoredTurn
from tests.memory.damaging import Damaged, forget_what_was_read, said
from tests.memory.fake_model import FakeModel


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a memory may be; no file is there yet."""
    return tmp_path / "memory.db"


@pytest.fixture
def fake() -> Any:
    """A model that needs no torch, and whose gists are alike where texts share words."""
    return FakeModel()


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recompress few turns together, so that there is something to interrupt."""
    monkeypatch.setattr("r3mem_agents.memory.recompressing.AT_ONCE", 4)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[StoredTurn]]:
    """A file, and its turns 2 to 61: the first is somebody else's."""
    path = tmp_path_factory.mktemp("filled") / "memory.db"
    fake: Any = FakeModel()
    with CompressiveMemory(path, user="alice", model=fake) as memory:
        memory.scoped(user="bob").remember("user", "Something of somebody else.")
        return path, memory.remember_many(said())


@pytest.fixture
def turns(path: Path, filled: tuple[Path, list[StoredTurn]]) -> list[StoredTurn]:
    """What is in a copy of that file, of which nothing is cached."""
    forget_what_was_read()
    copyfile(filled[0], path)
    return filled[1]


@pytest.fixture
def damaged(path: Path, turns: list[StoredTurn], fake: Any) -> Damaged:
    """Change the file behind the memory's back, and open it with nothing cached."""

    def change(statement: str) -> CompressiveMemory:
        with sqlite3.connect(path) as connection:
            connection.execute(statement)
        connection.close()
        forget_what_was_read()
        return CompressiveMemory(path, user="alice", model=fake)

    return change
