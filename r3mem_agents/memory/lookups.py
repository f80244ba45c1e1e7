"""One lookup: what was asked of which turns, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from r3mem_agents.lookup.ranking import Ranking
from r3mem_agents.lookup.weights import Weights
from r3mem_agents.memory.filters import Filters
from r3mem_agents.memory.query_parser import ParsedQuery
from r3mem_agents.memory.scope_index import ScopeSnapshot


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup that was made.

    Attributes:
        asked: The question.
        scope: The turns that were ranked; those that the caller has already are silent.
        filters: What turns had to be.
        weights: How evidence was fused.
        now: In whose zone dates are told; ``None`` means the local one.
        ranking: The best turns, and the evidence for all.
    """

    asked: ParsedQuery
    scope: ScopeSnapshot
    filters: Filters
    weights: Weights
    now: datetime | None
    ranking: Ranking
