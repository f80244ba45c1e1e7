"""Two systems as one: the sum of their scores, each relative to its best for the question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from r3mem_agents.bench.recall.data import SaidTurn
from r3mem_agents.bench.recall.systems import Hit, System


class Sum(System):
    """The normalized sum of two systems that rank all turns."""

    def __init__(self, *parts: System) -> None:
        self._parts = parts
        self._sizes: dict[str, int] = {}

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Give the turns to both."""
        self._sizes[user] = len(turns)
        for part in self._parts:
            part.ingest(user, turns)

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """Turns by the sum of what both make of them; likeness below zero counts as zero."""
        total: defaultdict[str, float] = defaultdict(float)
        for part in self._parts:
            hits = part.search(user, query, self._sizes[user])
            best = max((score for _, score in hits), default=0.0)
            for id_, score in hits:
                total[id_] += max(score, 0.0) / best if best > 0 else 0.0
        return sorted(total.items(), key=lambda hit: -hit[1])[:k]

    def disk_bytes(self) -> int:
        """What both have on disk."""
        return sum(part.disk_bytes() for part in self._parts)

    def close(self) -> None:
        """Close both."""
        for part in self._parts:
            part.close()
