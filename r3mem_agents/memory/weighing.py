"""Rankings under other weights or likenesses than the memory's own, to see what these bring.

No part of the public contract: the verbs of a memory always use ``weights.WEIGHTS``.
"""

from __future__ import annotations

from datetime import datetime

from r3mem_agents.lookup.ranking import Filters, Winner
from r3mem_agents.lookup.weights import Weights
from r3mem_agents.memory.memory import CompressiveMemory
from r3mem_agents.memory.reading import Likeness


def rank_with(
    memory: CompressiveMemory,
    query: str,
    k: int,
    weights: Weights,
    now: datetime | None = None,
    likeness: Likeness | None = None,
) -> list[Winner]:
    """What ``memory.recall(query, k, now=now)`` would return under these weights, not expanded.

    ``likeness`` takes the place of that of gists. Turns are not compared: none supersedes another.
    """
    ranking, _ = memory._handle.reader.ranked(
        query, Filters(), "turn", k, now, weights, likeness, compared=False
    )
    return list(ranking.winners) if ranking else []
