from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from tests.memory.fake_model import FakeModel

TINY = str(Path(__file__).parents[1] / "golden" / "tiny")
"""A checkpoint that loads in a moment; objects that hosts reopen need one by its path."""


@pytest.fixture
def where(tmp_path: Path) -> dict[str, Any]:
    """Where to open a memory on a file."""
    return {"store": str(tmp_path / "memory.db"), "model": TINY}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[CompressiveMemory]:
    """An open memory whose gists mean something: texts that share words are alike."""
    model: Any = FakeModel()
    with CompressiveMemory(
        tmp_path / "open.db", user="alice", session="today", model=model
    ) as opened:
        yield opened
