"""A file is given to another model: everything in it is kept, read and found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, ReversibleModel, recompress
from r3mem_agents.errors import (
    ModelMismatchError,
    NotFoundError,
)
from r3mem_agents.testing import tiny_model
from tests.memory.fake_model import FakeModel
from tests.memory.recompressed import (
    ENCODER,
    EXPANDER,
    OLD,
    both,
    contents,
    fill,
    found,
    said,
)
from tests.memory.writer import MODELS

pytestmark = pytest.mark.usefixtures("few_at_once")


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
        tiny_model(seed=1).checkpoint.encoder, model.checkpoint.expander, *parts, "other encoder"
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
