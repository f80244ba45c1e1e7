"""A file with turns in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from r3mem_agents import CompressiveMemory, StoredTurn, Turn


def fill(path: Path, model: Any, turns: int = 200) -> list[StoredTurn]:
    """Remember so many turns there, and close the memory."""
    with CompressiveMemory(path, model=model) as memory:
        return memory.remember_many(
            [Turn(role="user", text=f"Turn {i}: {'words ' * 20}") for i in range(turns)]
        )


def told(count: int, start: datetime, speakers: int, sessions: int) -> list[Turn]:
    """Turns with all that a turn can have, a minute apart, their speakers and sessions by turns."""
    return [
        Turn(
            role="user" if number % 2 else "assistant",
            text=f"Number {number} is about words{number} and more.",
            name=f"Speaker {number % speakers}",
            session=f"session {number % sessions}",
            time=start + timedelta(minutes=number),
            metadata={"number": number},
            key=f"key {number}",
        )
        for number in range(count)
    ]
