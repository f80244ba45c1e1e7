from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.storage.chat_store import sql
from sqlalchemy.ext.asyncio import AsyncEngine

from r3mem_agents import CompressiveMemory
from r3mem_llamaindex import R3Memory
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


@pytest.fixture
def r3(memory: CompressiveMemory) -> R3Memory:
    return R3Memory.from_memory(memory)


@pytest.fixture(autouse=True)
def _engines_are_disposed_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what LlamaIndex's ``Memory`` opens and never closes.

    Otherwise the thread of its connection answers to an event loop that is closed.
    """
    opened: list[AsyncEngine] = []
    make: Callable[..., AsyncEngine] = vars(sql)["create_async_engine"]

    def create(*arguments: Any, **options: Any) -> AsyncEngine:
        opened.append(make(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sql, "create_async_engine", create)
    yield
    with closing(asyncio.new_event_loop()) as loop:
        for engine in opened:
            loop.run_until_complete(engine.dispose())
