"""What the levels of evidence are worth in a lookup that explained itself."""

from __future__ import annotations

from r3mem_agents import Recollection


def log_odds(hit: Recollection) -> dict[str, float]:
    assert hit.explanation is not None, "asked for with explain=True"
    return {level: one.log_odds for level, one in hit.explanation.evidence.items()}
