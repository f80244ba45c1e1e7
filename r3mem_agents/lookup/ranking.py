"""From a question to the turns that answer it: rank all, read the winners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.index import Snapshot
from r3mem_agents.lookup.question import Question
from r3mem_agents.lookup.scoring import Evidence, weigh
from r3mem_agents.lookup.superseding import (
    AMONG,
    LOOKED_AT,
    Compare,
    reordered,
    superseding,
)
from r3mem_agents.lookup.weights import WEIGHTS, Weights
from r3mem_agents.timestamps import to_integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a turn must be to be returned at all; ``None`` lets everything through.

    Attributes:
        since: Earliest time.
        until: Latest time, itself included.
        sessions: Row ids of sessions.
        roles: Roles of the speaker.
        min_score: Least score.
        exclude: Ids of turns that the caller has already. They are no evidence for others either:
            a question that is stored itself would be the best match, and raise what is beside it.
    """

    since: datetime | None = None
    until: datetime | None = None
    sessions: frozenset[int] | None = None
    roles: frozenset[str] | None = None
    min_score: float | None = None
    exclude: frozenset[int] = frozenset()

    def find(self, turns: Snapshot, evidence: Evidence) -> NDArray[np.bool_]:
        """Which turns pass, of those that there is evidence for; ``(turns,)``."""
        passed = evidence.relevant.copy()
        if self.since is not None:
            passed &= turns.time_us >= to_integers(self.since)[0]
        if self.until is not None:
            passed &= turns.time_us <= to_integers(self.until)[0]
        if self.sessions is not None:
            inside = np.array([row in self.sessions for row in turns.sessions])
            passed &= inside[turns.session]
        if self.roles is not None:
            speaks = np.array([speaker.role in self.roles for speaker in turns.speakers])
            passed &= speaks[turns.speaker]
        if self.min_score is not None:
            passed &= evidence.score >= self.min_score
        if self.exclude:
            passed &= ~np.isin(turns.ids, list(self.exclude))
        return passed


@dataclass(frozen=True, slots=True)
class Winner:
    """A turn to read, with its score, what speaks for it, and the newer turn that supersedes it."""

    id: int
    score: float
    evidence: Mapping[str, float]
    superseded_by: int | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a lookup came to, and what it stands on.

    Attributes:
        winners: The best turns, best first.
        question: The question as it was read.
        turns: What was known; turns that the caller has already are silent.
        likeness: How like each of them is to the question, ``(turns,)``, -1 without a gist.
        evidence: What there is for each of them.
        superseded: The newer turn for each of the best ones that has been superseded, as positions.
    """

    winners: Sequence[Winner]
    question: Question
    turns: Snapshot
    likeness: NDArray[np.float64]
    evidence: Evidence
    superseded: Mapping[int, int]


def rank(
    turns: Snapshot,
    question: Question,
    likeness: NDArray[np.float64],
    filters: Filters,
    level: str,
    k: int,
    weights: Weights = WEIGHTS,
    compare: Callable[[Snapshot, NDArray[np.intp]], Compare] | None = None,
) -> Ranking:
    """Rank the best ``k`` turns, or the best turn of each of the best ``k`` sessions; best first.

    Of two turns with the same score the newer one comes first; one that supersedes another comes
    before it, or after it if the question asks for the past. ``likeness`` is that of every turn to
    it, ``(turns,)``. ``compare`` tells what supersedes what; without it nothing does.
    """
    evidence = weigh(turns, question, likeness, weights)
    score, most = evidence.score, max(k, AMONG) if level == "turn" else None
    least = filters.min_score or 0.0
    found = np.flatnonzero(replace(filters, min_score=None).find(turns, evidence))
    best = _ordered(turns, found, score, most)
    superseded: Mapping[int, int] = {}
    if compare is not None and weights.has("gist") and not question.open:
        told = compare(turns, best[: min(k, LOOKED_AT)])
        superseded = superseding(turns, likeness, best, told, past=question.past)
        score = reordered(score, superseded, past=question.past)
        best = _ordered(turns, best, score, None)
    best = best[score[best] >= least]
    if level == "session":
        best = best[np.sort(np.unique(turns.session[best], return_index=True)[1])]
    winners = [
        Winner(
            id=int(turns.ids[position]),
            score=min(float(score[position]), 1.0),
            evidence=evidence.of(position),
            superseded_by=int(turns.ids[superseded[position]]) if position in superseded else None,
        )
        for position in best[:k].tolist()
    ]
    return Ranking(winners, question, turns, likeness, evidence, superseded)


def _ordered(
    turns: Snapshot, places: NDArray[np.intp], score: NDArray[np.float64], k: int | None
) -> NDArray[np.intp]:
    # Places by score, best first, and of the same score the newest; at least the first ``k``.
    if k is not None and k < len(places):
        # Only what reaches the k-th best score needs to be sorted.
        bar = np.partition(score[places], -k)[-k]
        places = places[score[places] >= bar]
    return places[np.lexsort((-places, -turns.time_us[places], -score[places]))]
