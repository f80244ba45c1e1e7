"""What a turn must be to be returned at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.memory.scope_index import ScopeSnapshot
from r3mem_agents.memory.where import Where
from r3mem_agents.timestamps import to_integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a turn must be to be returned at all; ``None`` lets everything through.

    Attributes:
        since: Earliest time.
        until: Latest time, inclusive.
        sessions: Row ids of sessions.
        roles: Roles of the speaker.
        min_score: Lowest score.
        where: Conditions on metadata and names.
        exclude: Ids of turns that the caller has already. They are not evidence for others either:
            a question that is itself stored would be the best match, and raise its neighbours.
    """

    since: datetime | None = None
    until: datetime | None = None
    sessions: frozenset[int] | None = None
    roles: frozenset[str] | None = None
    min_score: float | None = None
    where: Where | None = None
    exclude: frozenset[int] = frozenset()

    def passed(self, scope: ScopeSnapshot, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the positions of those of some turns that pass, regardless of their scores."""
        turns = scope.turns
        passed = np.ones(len(turns.ids), bool)
        if self.since is not None:
            passed &= turns.time_us >= to_integers(self.since)[0]
        if self.until is not None:
            passed &= turns.time_us <= to_integers(self.until)[0]
        if self.sessions is not None:
            inside = np.array([row in self.sessions for row in turns.sessions])
            passed &= inside[turns.session]
        if self.roles is not None:
            speaks = np.array([scope.names[one.row].role in self.roles for one in turns.speakers])
            passed &= speaks[turns.speaker]
        if self.exclude:
            passed &= ~np.isin(turns.ids, list(self.exclude))
        places = places[passed[places]]
        return places if self.where is None else places[self.where.passed(scope, places)]
