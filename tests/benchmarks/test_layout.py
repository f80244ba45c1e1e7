"""All bytes of a file are accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.layout import measure
from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import NotFoundError
from tests.memory.fake_model import FakeModel
from tests.memory.filling import fill


def test_tables_and_parts_make_the_whole_file(tmp_path: Path) -> None:
    path, model = tmp_path / "memory.db", FakeModel()
    turns = fill(path, model, 50)
    fake: Any = model
    with CompressiveMemory(path, user="bob", model=fake) as memory:
        turns.append(memory.remember("user", "Something else."))
    before = path.read_bytes()
    found = measure(path)
    assert path.read_bytes() == before
    assert found["turns"] == len(turns)
    assert found["text_bytes"] == sum(len(turn.text.encode()) for turn in turns)
    assert found["file_bytes"] == len(before)
    for what in ("tables", "parts"):
        assert sum(one["bytes"] for one in found[what].values()) == len(before)
    assert found["of_the_text"] == pytest.approx(len(before) / found["text_bytes"], abs=1e-4)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing"):
        measure(tmp_path / "nothing.db")
