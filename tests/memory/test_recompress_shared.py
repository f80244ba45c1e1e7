"""Others have the file open that is given to another model: nobody is surprised."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, StoredTurn, Turn, recompress
from r3mem_agents.errors import (
    ModelMismatchError,
    OtherGistsWarning,
)
from tests.memory.recompressed import (
    ENCODER,
    EXPANDER,
    OLD,
    START,
    both,
    contents,
    fill,
    found,
    in_another_process,
    said,
)
from tests.memory.writer import MODELS

pytestmark = pytest.mark.usefixtures("few_at_once")


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
        assert memory.forget(turn_ids=[8]).turns == 1
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
