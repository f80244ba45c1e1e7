"""Two systems as one: relative score fusion, as Weaviate's hybrid search does it by default."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.systems.system import Hit, System


class RelativeScoreFusion(System):
    """The sum of the scores of several systems, each scaled from 0 (worst hit) to 1 (best)."""

    def __init__(self, *parts: System) -> None:
        self._parts = parts
        self._sizes: dict[str, int] = {}

    def ingest(self, user: str, turns: Sequence[SaidTurn]) -> None:
        """Give the turns to all of them."""
        self._sizes[user] = len(turns)
        for part in self._parts:
            part.ingest(user, turns)

    def search(self, user: str, query: str, k: int) -> list[Hit]:
        """Rank turns by the sum, over everything that each part finds, not only its first ``k``."""
        total: defaultdict[str, float] = defaultdict(float)
        for part in self._parts:
            hits = part.search(user, query, self._sizes[user])
            scores = [score for _, score in hits]
            worst, best = min(scores, default=0.0), max(scores, default=0.0)
            for id_, score in hits:
                total[id_] += (score - worst) / (best - worst) if best > worst else 1.0
        return sorted(total.items(), key=lambda hit: -hit[1])[:k]

    def disk_bytes(self) -> int:
        """Size of all of them on disk."""
        return sum(part.disk_bytes() for part in self._parts)

    def close(self) -> None:
        """Close all of them."""
        for part in self._parts:
            part.close()
