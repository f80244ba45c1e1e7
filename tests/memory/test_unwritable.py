"""Where nothing can be written, a memory can be read."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import FormatError, StoreUnavailableError
from r3mem_agents.store import Store
from tests.memory.fake_model import FakeModel

NOBODY = 65534
GOLDEN = Path(__file__).parents[1] / "golden"
SAID = [Turn(role="user", text=f"Number {number} is about words.") for number in range(30)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may enter: those of pytest are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def told(folder: Path) -> list[StoredTurn]:
    model: Any = FakeModel()
    with CompressiveMemory(folder / "m #1.db", user="alice", model=model) as memory:
        turns = memory.remember_many(SAID)
        memory.recall("Number 7", k=1)  # imports what a lookup needs, which nobody may read later
        return turns


@contextmanager
def no_root() -> Iterator[None]:
    """Be nobody in particular, where root may do everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write into a folder, not even root."""
    paths = [folder, *folder.iterdir()]
    modes = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        with no_root():
            yield
    finally:
        for path, mode in zip(paths, modes, strict=True):
            path.chmod(mode)


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Let nobody enter a folder, not even root."""
    folder.chmod(0)
    try:
        with no_root():
            yield
    finally:
        folder.chmod(0o755)


@contextmanager
def full(_: Path) -> Iterator[None]:
    """Let no file grow, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


Obstacle = Callable[[Path], AbstractContextManager[None]]
EACH = pytest.mark.parametrize("obstacle", [read_only, full])


@EACH
def test_all_can_be_read(folder: Path, told: list[StoredTurn], obstacle: Obstacle) -> None:
    model: Any = FakeModel()
    path = folder / "m #1.db"
    content = path.read_bytes()
    with obstacle(folder):
        with CompressiveMemory(path, user="alice", model=model) as memory:
            history = memory.history()
            hits = memory.recall("Number 7", k=1)
            stats = memory.stats()
            checked = memory.verify()
            refused = []
            for write in (
                lambda: memory.remember("user", "words " * 5000),
                lambda: memory.forget(everything=True),
            ):
                try:
                    write()
                except StoreUnavailableError as error:
                    refused.append(str(error))
        with CompressiveMemory(path, user="nobody", model=model) as memory:
            nothing = memory.recall("words")
    assert history == told
    assert [hit.text for hit in hits] == [told[7].text]
    assert stats.turns == 30
    assert stats.file_bytes == len(content)
    assert checked.ok
    assert nothing == []
    assert len(refused) == 2
    assert all("m #1.db can only be read" in message for message in refused)
    assert path.read_bytes() == content
    with CompressiveMemory(path, user="alice", model=model) as memory:
        assert memory.remember("user", "Now.").id == 31


@EACH
def test_what_is_not_there_is_not_made(folder: Path, obstacle: Obstacle) -> None:
    model: Any = FakeModel()
    caught = None
    with obstacle(folder):
        try:
            CompressiveMemory(folder / "new.db", model=model)
        except StoreUnavailableError as error:
            caught = error
    assert caught is not None


def test_a_folder_that_nobody_may_enter_is_named(folder: Path, told: list[StoredTurn]) -> None:
    model: Any = FakeModel()
    caught = None
    with closed(folder):
        try:
            CompressiveMemory(folder / "m #1.db", user="alice", model=model)
        except StoreUnavailableError as error:
            caught = str(error)
    assert caught is not None
    assert "m #1.db" in caught


@EACH
def test_an_earlier_format_is_refused_by_name_and_left(folder: Path, obstacle: Obstacle) -> None:
    path = Path(shutil.copy(GOLDEN / "format-3.db", folder / "old.db"))
    content, caught = path.read_bytes(), None
    with obstacle(folder):
        try:
            Store(path)
        except FormatError as error:
            caught = str(error)
    assert caught is not None
    assert "has format 3 of an earlier version" in caught
    assert path.read_bytes() == content
    with closing(Store(path)) as store:
        assert len(store.all_turn_ids()) == 16


@EACH
def test_turns_in_the_log_are_not_left_out_in_silence(
    folder: Path, told: list[StoredTurn], obstacle: Obstacle
) -> None:
    model: Any = FakeModel()
    (folder / "left").mkdir(mode=0o755)
    with CompressiveMemory(folder / "m #1.db", user="alice", model=model) as memory:
        memory.remember("user", "The newest.")
        for name in ("m #1.db", "m #1.db-wal"):  # as a process leaves them that is killed
            shutil.copy(folder / name, folder / "left" / name)
    history, caught = None, None
    with obstacle(folder / "left"):
        try:
            with CompressiveMemory(
                folder / "left" / "m #1.db", user="alice", model=model
            ) as memory:
                history = memory.history()
        except StoreUnavailableError as error:
            caught = str(error)
    assert history is None
    assert caught is not None
    assert "m #1.db-wal, the newest turns lie in it: copy both" in caught
    with CompressiveMemory(folder / "left" / "m #1.db", user="alice", model=model) as memory:
        assert len(memory.history()) == 31
