"""The turns that answer a question, ranked by the evidence for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.question import Question
from r3mem_agents.lookup.scoring import Evidence, weigh
from r3mem_agents.lookup.snapshot import Snapshot
from r3mem_agents.lookup.superseding import (
    AMONG,
    LOOKED_AT,
    Compare,
    reordered,
    superseding,
)
from r3mem_agents.lookup.weights import WEIGHTS, Weights


@dataclass(frozen=True, slots=True)
class Winner:
    """A turn to return, with its score, its evidence, and the newer turn that supersedes it."""

    id: int
    score: float
    evidence: Mapping[str, float]
    superseded_by: int | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The result of a lookup, and what it is based on.

    Attributes:
        winners: The best turns, best first.
        similarity: Of each turn to the question, ``(turns,)``, -1 without a gist.
        evidence: The evidence for each turn.
        superseded: The newer turn for each of the best ones that has been superseded, as positions.
    """

    winners: Sequence[Winner]
    similarity: NDArray[np.float64]
    evidence: Evidence
    superseded: Mapping[int, int]


def rank(
    turns: Snapshot,
    question: Question,
    similarity: NDArray[np.float64],
    k: int,
    *,
    passed: Callable[[NDArray[np.intp]], NDArray[np.intp]] | None = None,
    min_score: float = 0.0,
    by_session: bool = False,
    weights: Weights = WEIGHTS,
    compare: Compare | None = None,
) -> Ranking:
    """Rank the best turns for a question; best first.

    Of two turns with the same score the newer one comes first; one that supersedes another comes
    before it, or after it if the question asks for the past.

    Args:
        turns: The turns.
        question: The question.
        similarity: Of each turn to the question, ``(turns,)``, -1 without a gist.
        k: Turns to rank.
        passed: Tells, of the positions of relevant turns, those that may be ranked; ``None`` means
            all of them.
        min_score: Lowest score of a turn.
        by_session: Rank the best turn of each of the best ``k`` sessions instead.
        weights: How evidence is fused.
        compare: Compares turns; called at most once. Without it no turn supersedes another.
    """
    evidence = weigh(turns, question, similarity, weights)
    found = np.flatnonzero(evidence.relevant)
    if passed is not None:
        found = passed(found)
    best = _ordered(turns, found, evidence.score, None if by_session else max(k, AMONG))
    score, superseded = evidence.score, dict[int, int]()
    if compare is not None and weights.has("gist") and not question.open:
        wanted = best[: min(k, LOOKED_AT)]
        superseded = superseding(turns, similarity, best, compare, wanted, past=question.past)
        score = reordered(score, superseded, past=question.past)
        best = _ordered(turns, best, score, None)
    best = best[score[best] >= min_score]
    if by_session:
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
    return Ranking(winners, similarity, evidence, superseded)


def _ordered(
    turns: Snapshot, places: NDArray[np.intp], score: NDArray[np.float64], k: int | None
) -> NDArray[np.intp]:
    # Positions by score, best first, newest first among equals; at least the first ``k``.
    if k is not None and k < len(places):
        # Only what reaches the k-th best score needs to be sorted.
        bar = np.partition(score[places], -k)[-k]
        places = places[score[places] >= bar]
    return places[np.lexsort((-places, -turns.time_us[places], -score[places]))]
