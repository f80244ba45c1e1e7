"""Rankings under other weights than the memory's own, for ablations and for fitting them.

No part of the public contract: the verbs of a memory always use ``scoring.WEIGHTS``.
"""

from __future__ import annotations

from r3mem_agents.memory.blocking import BlockingMemory
from r3mem_agents.memory.lookup import Filters, Winner
from r3mem_agents.memory.scoring import Weights


def rank_with(memory: BlockingMemory, query: str, k: int, weights: Weights) -> list[Winner]:
    """What ``memory.recall(query, k)`` would return under these weights, not expanded."""
    return memory._reader.winners(query, Filters(), "turn", k, weights)[0]
