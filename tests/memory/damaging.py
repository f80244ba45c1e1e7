"""What is said in files that tests damage; the fixtures that do so are in conftest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.memory.index_cache import INDEX_CACHE
from r3mem_agents.memory.text_cache import TEXT_CACHE
from tests.memory.filling import told

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
COUNT = 60

Damaged = Callable[[str], CompressiveMemory]


def said() -> list[Turn]:
    return told(COUNT, START, speakers=5, sessions=7)


def forget_what_was_read() -> None:
    TEXT_CACHE.clear()
    INDEX_CACHE._entries.clear()
