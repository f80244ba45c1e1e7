"""Whatever interrupts recompressing, and whatever is damaged before it, nothing more is lost."""

from __future__ import annotations

import signal
import sqlite3
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from r3mem_agents import CompressiveMemory, recompress
from r3mem_agents.errors import (
    DamageWarning,
    OtherGistsWarning,
    ReadBackError,
    StoreUnavailableError,
)
from r3mem_agents.store import connections
from tests.memory.fake_model import FakeModel, FakeTokens
from tests.memory.recompressed import (
    EXPANDER,
    OLD,
    both,
    contents,
    fill,
    in_another_process,
    other,
)
from tests.memory.writer import MODELS

pytestmark = pytest.mark.usefixtures("few_at_once")


@both
@pytest.mark.parametrize("value", ["checksum = checksum + 1", "code = x'00'", "speaker = 4711"])
def test_damaged_turns_stay_as_they_are_and_are_reported(path: Path, part: str, value: str) -> None:
    fill(path)
    before = contents(path, OLD)[0]
    with closing(sqlite3.connect(path)) as connection:
        old = connection.execute("SELECT * FROM turns WHERE id = 9").fetchone()
        connection.execute(f"UPDATE turns SET {value} WHERE id = 9")
        connection.commit()
        row = connection.execute("SELECT * FROM turns WHERE id = 9").fetchone()
    done = recompress(path, source=OLD, model=MODELS[part])
    (damaged,) = done.damaged
    assert (damaged.id, damaged.user, done.recompressed, done.turns) == (9, "alice", 15, 16)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM turns WHERE id = 9").fetchone() == row
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OtherGistsWarning)
        with CompressiveMemory(path, user="alice", model=MODELS[part]) as memory:
            with pytest.warns(DamageWarning, match="turn 9 in"):
                assert memory.history() == [turn for turn in before if turn.id != 9]
            assert [turn.id for turn in memory.verify().damaged] == [9]
    again = recompress(path, source=OLD, model=MODELS[part])
    assert (again.recompressed, [turn.id for turn in again.damaged]) == (0, [9])
    # Mended, as from a backup: nothing was lost by waiting.
    with closing(sqlite3.connect(path)) as connection:
        marks = ", ".join("?" * len(old))
        connection.execute("DELETE FROM turns WHERE id = 9")
        connection.execute(f"INSERT INTO turns VALUES ({marks})", old)
        connection.commit()
    mended = recompress(path, source=OLD, model=MODELS[part])
    assert (mended.recompressed, mended.damaged) == (1, ())
    assert contents(path, MODELS[part])[0] == before


def test_turns_are_read_whatever_damage_left_of_the_names_of_their_owner(path: Path) -> None:
    fill(path)
    before = contents(path, OLD)[0]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        columns = "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '')"
        connection.execute(f"{columns} WHERE name = 'scopes'")
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE scopes SET hidden = NULL")
        connection.commit()
    assert recompress(path, source=OLD, model=EXPANDER).recompressed == 16
    with CompressiveMemory(path, user="alice", model=EXPANDER) as memory:
        assert memory.history() == before


@both
def test_what_would_not_be_read_again_is_not_written(path: Path, part: str) -> None:
    fill(path)
    before = contents(path, OLD)
    broken = other(part)
    broken.expand = _garbling(broken)
    with pytest.raises(ReadBackError, match="left as they were"):
        recompress(path, source=OLD, model=broken)
    assert contents(path, OLD) == before


def _garbling(model: FakeModel) -> Callable[[Sequence[FakeTokens]], list[str]]:
    """Every second expansion is wrong: one of what was just compressed."""
    calls = []

    def expand(tokens: Sequence[FakeTokens]) -> list[str]:
        calls.append(len(tokens))
        texts = FakeModel.expand(model, tokens)
        return texts if len(calls) % 2 else [text + "?" for text in texts]

    return expand


@both
@pytest.mark.parametrize("call", [1, 2, 4])
def test_an_interrupt_loses_nothing(path: Path, part: str, call: int) -> None:
    fill(path)
    before, calls = contents(path, OLD), iter(range(1, call))
    interrupted = other(part)

    def compress(texts: Sequence[str]) -> list[FakeTokens]:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return FakeModel.compress(interrupted, texts)

    interrupted.compress = compress
    with pytest.raises(KeyboardInterrupt):
        recompress(path, source=OLD, model=interrupted)
    assert contents(path, OLD) == before
    done = recompress(path, source=OLD, model=MODELS[part])
    # Turns with the expander that they had are written as they come; others all at once.
    assert done.recompressed == (16 - 4 * (call - 1) if part == "encoder" else 16)
    assert contents(path, MODELS[part]) == before


@pytest.mark.parametrize(
    ("part", "what", "count"),
    [
        ("encoder", "compress", "3"),
        ("encoder", "write", "1"),
        ("encoder", "write", "3"),
        ("expander", "compress", "3"),
        ("expander", "write", "1"),
        ("expander", "write", "2"),
    ],
)
def test_kill_9_loses_nothing(path: Path, part: str, what: str, count: str) -> None:
    fill(path)
    before = contents(path, OLD)
    assert in_another_process(path, part, what, count) == -signal.SIGKILL
    assert contents(path, OLD) == before
    recompress(path, source=OLD, model=MODELS[part])
    assert contents(path, MODELS[part]) == before


def test_what_stands_in_the_way_is_told_before_the_work(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.1)
    fill(path)
    told: list[int] = []
    with closing(sqlite3.connect(path)) as another, pytest.raises(StoreUnavailableError):
        another.execute("BEGIN IMMEDIATE")
        recompress(path, source=OLD, model=EXPANDER, progress=lambda done, _: told.append(done))
    assert not told
