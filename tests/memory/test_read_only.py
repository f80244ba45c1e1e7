"""A memory that is opened with ``read_only=True`` reads, and writes nothing."""

from __future__ import annotations

import asyncio
import copy
import pickle
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, FormatError, ReadOnlyError, StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError, NotFoundError, StoreUnavailableError
from tests.memory.fake_model import FakeModel
from tests.memory.test_rules import FACTS, found, other_release

GOLDEN = Path(__file__).parents[1] / "golden"
SAID = [
    Turn(role="user", text=f"Number {number} is about words.", key=str(number), session="s")
    for number in range(30)
]

WRITES: list[Callable[[CompressiveMemory, StoredTurn], object]] = [
    lambda memory, turn: memory.remember("user", "words " * 100),
    lambda memory, turn: memory.remember("user", turn.text, key=turn.key, session="s"),
    lambda memory, turn: memory.remember_many([]),
    lambda memory, turn: memory.remember_many([], forget=[turn.id]),
    lambda memory, turn: memory.forget(turn_ids=[turn.id]),
    lambda memory, turn: memory.forget(session="s"),
    lambda memory, turn: memory.forget(everything=True),
    lambda memory, turn: memory.edit(turn.id, turn.text),
    lambda memory, turn: memory.edit(4711, "words", keep_versions=True),
    lambda memory, turn: memory.pin([turn.id]),
    lambda memory, turn: memory.pin([], pinned=False),
    lambda memory, turn: memory.keep_log(True),
    lambda memory, turn: memory.keep_log(False),
    lambda memory, turn: asyncio.run(memory.aremember("user", "words")),
]


def opened(path: Path | str, **options: Any) -> CompressiveMemory:
    model: Any = FakeModel()
    return CompressiveMemory(path, user="alice", model=model, **options)


@pytest.fixture
def told(path: Path) -> list[StoredTurn]:
    with opened(path) as memory:
        return memory.remember_many(SAID)


def test_all_is_read_and_nothing_is_written(path: Path, told: list[StoredTurn]) -> None:
    content, changed = path.read_bytes(), path.stat().st_mtime_ns
    with opened(path, read_only=True) as memory:
        seen = memory.history(), memory.recall("Number 7"), memory.stats(), memory.users()
        assert memory.context("Number 7")
        assert memory.summary("s")
        assert memory.fetch(keys=["7"], session="s") == [told[7]]
        assert memory.turn_ids() == [turn.id for turn in told]
        assert memory.verify().ok
        memory.backup(path.with_name("copy.db"))
        for write in WRITES:
            with pytest.raises(ReadOnlyError, match=r"memory\.db was opened with read_only=True"):
                write(memory, told[3])
        assert memory.history() == told
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, changed)
    log = path.with_name("memory.db-wal")
    assert not log.exists() or not log.stat().st_size
    with opened(path) as memory:
        assert seen == (memory.history(), memory.recall("Number 7"), memory.stats(), memory.users())
    assert [one.name for one in path.parent.glob("memory.db*")] == ["memory.db"]
    with opened(path.with_name("copy.db")) as other:
        assert other.history() == told


def test_whatever_is_made_of_it_reads_only(path: Path, told: list[StoredTurn]) -> None:
    with opened(path, read_only=True) as memory:
        copies = [memory.scoped(user="bob"), copy.copy(memory), memory.scoped(session="new")]
        for one in [memory, *copies]:
            assert one.read_only
            assert "read_only=True" in repr(one)
            with pytest.raises(ReadOnlyError):
                one.remember("user", "Hello.")
        with pytest.raises(AttributeError, match="does not change"):
            memory.read_only = False  # type: ignore[assignment]
    with opened(path) as memory:
        assert not memory.read_only
        assert "read_only" not in repr(memory)


def test_a_pickle_opens_the_file_as_it_was_opened(path: Path) -> None:
    with CompressiveMemory(path) as memory:
        turn = memory.remember("user", "Hello.")
        with pickle.loads(pickle.dumps(memory)) as again:
            again.forget(turn_ids=[turn.id])
    with (
        CompressiveMemory(path, read_only=True) as memory,
        pickle.loads(pickle.dumps(memory)) as again,
    ):
        assert again.read_only
        assert again.history() == []
        with pytest.raises(ReadOnlyError):
            again.remember("user", "Hello.")


def test_it_sees_what_others_write_meanwhile(path: Path, told: list[StoredTurn]) -> None:
    with opened(path, read_only=True) as memory, opened(path) as writer:
        for number in range(3):
            turn = writer.remember("user", f"A zebra {number}.")
            assert memory.recall("zebra", 1)[0].turn == turn
            writer.forget(turn_ids=[turn.id])
            assert memory.recall("zebra") == []
        assert memory.history() == told


def test_it_reads_the_log_that_a_killed_process_left(path: Path, told: list[StoredTurn]) -> None:
    left = path.parent / "left"
    left.mkdir()
    with opened(path) as memory:
        told.append(memory.remember("user", "The newest."))
        for name in (path.name, f"{path.name}-wal"):
            shutil.copy(path.with_name(name), left / name)
    content = (left / path.name).read_bytes()
    with opened(left / path.name, read_only=True) as memory:
        assert memory.history() == told
    assert (left / path.name).read_bytes() == content
    with opened(left / path.name) as memory:
        assert memory.history() == told


@pytest.mark.parametrize("where", ["{}", "sqlite:///{}", "sqlite:///file:{}?uri=true"])
def test_what_is_not_there_is_not_made(path: Path, where: str) -> None:
    with pytest.raises((NotFoundError, StoreUnavailableError)) as caught:
        opened(where.format(path), read_only=True)
    assert path.name in str(caught.value)
    assert not path.exists()
    path.touch()
    with pytest.raises(NotFoundError, match="is empty"):
        opened(where.format(path), read_only=True)
    assert path.stat().st_size == 0


def test_a_memory_without_a_file_has_nothing_to_read() -> None:
    with pytest.raises(InvalidInputError, match="read_only=True takes a path"):
        opened(":memory:", read_only=True)


@pytest.mark.parametrize("version", [3, 4])
def test_an_earlier_format_is_refused_by_name_and_left(path: Path, version: int) -> None:
    shutil.copy(GOLDEN / f"format-{version}.db", path)
    content = path.read_bytes()
    with pytest.raises(FormatError, match=f"format {version} .*open it once without"):
        opened(path, read_only=True)
    assert path.read_bytes() == content


def test_terms_of_other_rules_are_not_made_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other_release(monkeypatch), opened(path) as memory:
        for fact in FACTS:
            memory.remember("user", fact)
    with opened(path, read_only=True) as memory:
        with pytest.raises(ReadOnlyError, match="terms are made anew, but .*open it without"):
            memory.recall("evening")
        assert [turn.text for turn in memory.history()] == [*FACTS]
    with opened(path) as memory:
        assert memory.recall("evening")
    with opened(path, read_only=True) as memory:
        assert found(memory) == [*FACTS]


def test_what_has_expired_is_not_shown_and_stays_in_the_file(path: Path) -> None:
    with opened(path) as memory:
        memory.remember("user", "A zebra.", expires=timedelta(seconds=0.2))
        memory.remember("user", "A lion.")
    content = path.read_bytes()
    time.sleep(0.3)
    with opened(path, read_only=True) as memory:
        assert [turn.text for turn in memory.history()] == ["A lion."]
        assert memory.recall("zebra") == []
    assert path.read_bytes() == content
