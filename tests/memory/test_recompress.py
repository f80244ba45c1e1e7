"""A file is given to another model: nothing is lost, and nobody is surprised."""

from __future__ import annotations

import copy
import dataclasses
import signal
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, ReversibleModel, StoredTurn, Turn, recompress
from r3mem_agents.errors import (
    DamageWarning,
    ModelMismatchError,
    NotFoundError,
    OtherGistsWarning,
    ReadBackError,
    StoreUnavailableError,
)
from r3mem_agents.memory import recompressing
from r3mem_agents.store import sqlite
from r3mem_agents.testing import tiny_model
from tests.memory.fake_model import FakeModel, FakeTokens
from tests.memory.writer import MODELS

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ROOT = Path(__file__).parents[2]

OLD, ENCODER, EXPANDER = (MODELS[name] for name in ("old", "encoder", "expander"))

both = pytest.mark.parametrize("part", ["encoder", "expander"])
"""Which part of the new model is another one."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recompressing, "AT_ONCE", 4)


def said(count: int) -> list[Turn]:
    return [
        Turn(
            role="user" if number % 2 else "assistant",
            text=f"Number {number} is about words{number} and more.",
            name=f"Speaker {number % 3}",
            session=f"session {number % 5}",
            time=START + timedelta(minutes=number),
            metadata={"number": number},
            key=f"key {number}",
        )
        for number in range(count)
    ]


def other(part: str) -> Any:
    """Such a model, to be spoiled."""
    return copy.copy(MODELS[part])


def fill(path: Path, count: int = 18) -> None:
    """Turns of two users, some of them edited, and gaps between their ids."""
    with CompressiveMemory(path, user="alice", model=OLD) as memory:
        turns = memory.remember_many(said(count))
        memory.remember("user", "An edited turn, said again.", session="session 1", key="key 6")
        memory.scoped(user="bob", agent="other").remember("user", "Something of somebody else.")
        memory.forget(turn_ids=[turn.id for turn in turns[2:5]])


def contents(path: Path, model: Any) -> list[Any]:
    """All that the verbs say of a file, apart from lookups."""
    found: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OtherGistsWarning)
        with CompressiveMemory(path, user="alice", model=model) as memory:
            bob = memory.scoped(user="bob", agent="other")
            stats = memory.stats()
            found = [memory.history(), memory.sessions(), memory.turn_ids(), bob.history()]
            found += [memory.users(), stats.turns, stats.tokens, stats.text_bytes]
            assert memory.verify().ok
    return found


def found(memory: CompressiveMemory, question: str) -> tuple[int, bool]:
    """The turn that answers a question, and whether its gist speaks for it."""
    (hit,) = memory.recall(question, k=1, explain=True)
    assert hit.explanation is not None
    return hit.turn.id, hit.explanation.similarity is not None


def stored(path: Path) -> dict[int, tuple[Any, ...]]:
    """The columns of turns that no model makes."""
    columns = "turns.id, turns.scope, session, speaker, time_us, offset_s, data, key, extra"
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            f"SELECT {columns} FROM turns JOIN blocks USING (scope)"
        ).fetchall()
    return {row[0]: row[1:] for row in rows}


@both
def test_everything_is_kept_and_read_and_found(path: Path, part: str) -> None:
    fill(path)
    before, rows = contents(path, OLD), stored(path)
    done = recompress(path, source=OLD, model=MODELS[part])
    assert (done.turns, done.recompressed, done.damaged) == (16, 16, ())
    assert (done.model_before, done.model) == (OLD.name, MODELS[part].name)
    assert contents(path, MODELS[part]) == before
    assert stored(path) == rows
    with CompressiveMemory(
        path, user="alice", model=MODELS[part]
    ) as memory:  # no warning, an error here
        assert found(memory, "words7 more") == (8, True)
        assert memory.remember_many(said(18)[8:9])[0].id == 9  # its key is known


@both
def test_a_second_call_does_nothing(path: Path, part: str) -> None:
    fill(path)
    recompress(path, source=OLD, model=MODELS[part])
    before = path.read_bytes()
    done = recompress(path, source=OLD, model=MODELS[part])
    assert (done.turns, done.recompressed, done.model_before) == (16, 0, MODELS[part].name)
    assert recompress(path, model=MODELS[part]) == done
    assert path.read_bytes() == before


def test_models_of_either_part_are_read_by_their_own(path: Path, model: ReversibleModel) -> None:
    parts = (model.pieces, model.tokenizer, model.static_counts)
    encoder = ReversibleModel.from_networks(
        tiny_model(seed=1).encoder, model.expander, *parts, "other encoder"
    )
    with CompressiveMemory(path, model=model) as memory:
        turns = memory.remember_many(said(6))
    for source, goal in ((None, encoder), (encoder, tiny_model(seed=2)), (tiny_model(2), model)):
        recompress(path, source=source, model=goal)
        with CompressiveMemory(path, model=goal) as memory:
            assert memory.history() == turns
            assert memory.verify().ok


def test_what_only_another_model_expands_is_refused_by_name(path: Path) -> None:
    fill(path)
    before = path.read_bytes()
    third: Any = FakeModel("c" * 16)
    for source in (None, third):
        with pytest.raises(ModelMismatchError, match=r"fake \(a{16}\).*b{16}.* --from PATH"):
            recompress(path, source=source, model=EXPANDER)
    assert path.read_bytes() == before


def test_a_file_that_holds_nothing_is_given_over(path: Path) -> None:
    CompressiveMemory(path, model=OLD).close()
    assert recompress(path, source=OLD, model=EXPANDER).turns == 0
    with CompressiveMemory(path, model=EXPANDER) as memory:
        assert memory.history() == []


def test_a_file_that_is_not_there_is_not_made(path: Path) -> None:
    for where in (path, f"sqlite:///{path}"):
        with pytest.raises(NotFoundError, match="no memory at"):
            recompress(where, model=ENCODER)
    assert not path.exists()


def test_a_new_file_has_nothing_to_do(path: Path) -> None:
    path.touch()
    done = recompress(path, model=ENCODER)
    assert (done.turns, done.recompressed, done.model_before) == (0, 0, None)


def test_the_name_of_the_new_model_is_recorded(path: Path) -> None:
    fill(path)
    newer: Any = FakeModel("a" * 16, encoder="b")
    newer.name = "newer"
    recompress(path, model=newer)
    with pytest.raises(ModelMismatchError, match=r"newer \(a{16}\)"):
        CompressiveMemory(path, model=EXPANDER)


@both
def test_nothing_of_the_old_memory_tokens_or_of_forgotten_turns_is_left(
    path: Path, part: str
) -> None:
    fill(path)
    codes = [OLD.compress([turn.text])[0].code for turn in said(18)]
    (edited,) = OLD.compress(["An edited turn, said again."])
    assert edited.code in path.read_bytes()
    recompress(path, source=OLD, model=MODELS[part])
    files = [path, path.with_name(f"{path.name}-wal")]
    held = b"".join(file.read_bytes() for file in files if file.exists())
    assert not [code for code in codes[2:5] if code in held]
    if part == "expander":
        assert not [code for code in [*codes, edited.code] if code in held]


# What cannot be read stays.


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


# Whatever interrupts it.


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


def in_another_process(path: Path, *arguments: str) -> int:
    command = [sys.executable, "-m", "tests.memory.writer", "recompress", str(path), *arguments]
    return subprocess.run(command, cwd=ROOT, timeout=120, check=False).returncode


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
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)
    fill(path)
    told: list[int] = []
    with closing(sqlite3.connect(path)) as another, pytest.raises(StoreUnavailableError):
        another.execute("BEGIN IMMEDIATE")
        recompress(path, source=OLD, model=EXPANDER, progress=lambda done, _: told.append(done))
    assert not told


# Whoever else has the file open.


def test_an_open_memory_hears_that_its_file_has_another_expander(path: Path) -> None:
    fill(path)
    with CompressiveMemory(path, user="alice", model=OLD) as memory:
        assert memory.recall("words7")
        recompress(path, source=OLD, model=EXPANDER)
        verbs: list[Callable[[], Any]] = [
            memory.history,
            lambda: memory.summary("session 1"),
            memory.verify,
            lambda: memory.fetch(turn_ids=[8]),
            lambda: memory.recall("words7"),
            lambda: memory.context("words7"),
            lambda: memory.remember("user", "Too late."),
            lambda: memory.remember_many(said(7)[6:]),
            lambda: memory.remember_many([Turn(role="user", text="Too late.")], forget=[8]),
        ]
        for verb in verbs:
            with pytest.raises(ModelMismatchError, match="open it again"):
                verb()
        assert memory.stats().turns == len(memory.turn_ids()) == 15
        assert memory.forget(turn_ids=[8]) == 1
        memory.remember_many([], forget=[9])
        assert memory.stats().turns == 13
    assert "Too late." not in [turn.text for turn in contents(path, EXPANDER)[0]]


def test_an_open_memory_goes_on_with_its_encoder(path: Path) -> None:
    fill(path)
    with CompressiveMemory(path, user="alice", model=OLD) as memory:
        assert found(memory, "words7 more") == (8, True)
        before = memory.history()
        recompress(path, model=ENCODER)
        with pytest.warns(OtherGistsWarning, match="words alone"):
            assert found(memory, "words7 more") == (8, False)
        new = memory.remember("user", "Said with the old model.", time=START)
        assert memory.history() == [*before, new]
    with pytest.warns(OtherGistsWarning):
        CompressiveMemory(path, user="alice", model=ENCODER).close()
    assert recompress(path, model=ENCODER).recompressed == 1


@both
def test_other_processes_notice(path: Path, part: str) -> None:
    """Here the other process is the one that recompresses."""
    fill(path)
    with CompressiveMemory(path, user="alice", model=OLD) as memory:
        turns = memory.history()
        assert in_another_process(path, part, "nothing", "1") == 0
        if part == "expander":
            with pytest.raises(ModelMismatchError):
                memory.history()
        else:
            assert memory.history() == turns
    assert contents(path, MODELS[part])[0] == turns


OPERATIONS = st.lists(
    st.sampled_from(["remember", "edit", "forget", "replace", "session", "nothing"]), max_size=6
)


@both
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_what_others_do_meanwhile_is_not_lost(
    tmp_path_factory: pytest.TempPathFactory, part: str, operations: list[str]
) -> None:
    path, todo = tmp_path_factory.mktemp("meanwhile") / "memory.db", [*operations]
    fill(path)
    with CompressiveMemory(path, user="alice", session="session 1", model=OLD) as memory:
        state: list[list[StoredTurn]] = [memory.history()]

        def meanwhile(done: int, whole: int) -> None:
            assert done <= whole
            if not todo:
                return
            turns, what = memory.history(), todo.pop()
            if what == "remember":
                memory.remember("user", f"Something new, {done}.", time=START)
            elif what == "edit":
                memory.remember("user", f"Edited at {done}.", key="key 6", time=START)
            elif what == "forget":
                memory.forget(turn_ids=[turns[done % len(turns)].id])
            elif what == "replace":
                again = dataclasses.replace(turns[-1], text=f"Replaced at {done}.", key="key 11")
                memory.remember_many([again], replace=True)
            elif what == "session" and "session 2" in memory.sessions():
                memory.forget(session="session 2")
            state.append(memory.history())

        done = recompress(path, source=OLD, model=MODELS[part], progress=meanwhile)
    assert not done.damaged
    assert contents(path, MODELS[part])[0] == state[-1]
    assert recompress(path, model=MODELS[part]).recompressed == 0


def test_two_at_once_do_the_work_once(path: Path) -> None:
    fill(path)
    before = contents(path, OLD)
    inner: list[Any] = []

    def meanwhile(done: int, whole: int) -> None:
        if not inner:
            inner.append(recompress(path, source=OLD, model=EXPANDER))

    with pytest.raises(ModelMismatchError, match="open it again"):
        recompress(path, source=OLD, model=EXPANDER, progress=meanwhile)
    assert inner[0].recompressed == 16
    assert contents(path, EXPANDER) == before
