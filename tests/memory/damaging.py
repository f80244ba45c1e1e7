"""What is said in files that tests damage; the fixtures that do so are in conftest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.memory.index_cache import INDEX_CACHE
from r3mem_agents.memory.text_cache import TEXT_CACHE

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
COUNT = 60

Damaged = Callable[[str], CompressiveMemory]


def said() -> list[Turn]:
    return [
        Turn(
            role="user" if number % 2 else "assistant",
            text=f"Number {number} is about words{number} and more.",
            name=f"Speaker {number % 5}",
            session=f"session {number % 7}",
            time=START + timedelta(minutes=number),
            metadata={"number": number},
            key=f"key {number}",
        )
        for number in range(COUNT)
    ]


def forget_what_was_read() -> None:
    TEXT_CACHE.clear()
    INDEX_CACHE._entries.clear()
