"""One lookup: the question, the turns that were searched, and the result."""

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
    """A completed lookup.

    Attributes:
        asked: The question.
        scope: The turns that were ranked; those that the caller has already are silent.
        filters: The conditions that turns had to meet.
        weights: How evidence was fused.
        now: The time in whose zone dates are written; ``None`` means the local zone.
        ranking: The best turns, and the evidence for all.
    """

    asked: ParsedQuery
    scope: ScopeSnapshot
    filters: Filters
    weights: Weights
    now: datetime | None
    ranking: Ranking
