"""A file with turns in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from r3mem_agents import CompressiveMemory, StoredTurn, Turn


def fill(path: Path, model: Any, turns: int = 200) -> list[StoredTurn]:
    """Remember so many turns there, and close the memory."""
    with CompressiveMemory(path, model=model) as memory:
        return memory.remember_many(
            [Turn(role="user", text=f"Turn {i}: {'words ' * 20}") for i in range(turns)]
        )
