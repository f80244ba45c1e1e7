"""A file of two users, and models to which it is given."""

from __future__ import annotations

import copy
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.errors import (
    OtherGistsWarning,
)
from tests.memory.filling import told
from tests.memory.writer import MODELS

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ROOT = Path(__file__).parents[2]

OLD, ENCODER, EXPANDER = (MODELS[name] for name in ("old", "encoder", "expander"))

both = pytest.mark.parametrize("part", ["encoder", "expander"])
"""Which part of the new model is another one."""


def said(count: int) -> list[Turn]:
    return told(count, START, speakers=3, sessions=5)


def other(part: str) -> Any:
    """A model of which this part is another one, to be spoiled."""
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


def in_another_process(path: Path, *arguments: str) -> int:
    command = [sys.executable, "-m", "tests.memory.writer", "recompress", str(path), *arguments]
    return subprocess.run(command, cwd=ROOT, timeout=120, check=False).returncode
