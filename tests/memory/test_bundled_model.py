"""What a memory does with the model that comes with the package."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from r3mem_agents import CompressiveMemory


def test_what_holds_elsewhere_supersedes_nothing(tmp_path: Path) -> None:
    with CompressiveMemory(tmp_path / "a.db", user="alice") as memory:
        for day, where in enumerate(("at home is hunter2", "at work is swordfish"), 1):
            time = datetime(2026, 1, day, tzinfo=UTC)
            memory.remember("user", f"The wifi password {where}.", time=time)
        hits = memory.recall("What's the wifi password at home?")
        assert "hunter2" in hits[0].text
        assert not any(hit.superseded_by for hit in hits)
