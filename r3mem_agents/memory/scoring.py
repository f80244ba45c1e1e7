"""The lookup's arithmetic: evidence of every level for every turn, fused into one score."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.memory.confidence import LEAST, MOST_ASKED, coverage, resemblance
from r3mem_agents.memory.dates import NO_DATES, Dates, Span
from r3mem_agents.memory.index import Snapshot, likeness_to
from r3mem_agents.memory.postings import Postings, idf, postings_of
from r3mem_agents.memory.weights import WEIGHTS, Weights

Floats = NDArray[np.float64]

GIST_FLOOR = 0.3
"""Likeness of gists from which a turn without a term of the question may be returned, if the memory
holds an answer at all (docs/LOG.md, "a gist that is taught")."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Parts of the score of every turn, ``(turns,)`` each; they add up to ``score``.

    The best turn's score says how sure it is that the memory holds an answer (``confidence``), that
    of the others how much less evidence there is for them.

    Attributes:
        entity: From its own terms.
        gist: From its own gists.
        neighbours: From the turns beside it.
        session: From its session.
        speaker: From the speaker being named.
        time: From the time being named.
        relevant: Whether the turn or one beside it has direct evidence. Session, speaker and time
            alone say too little, unless the question has nothing but the time.
    """

    entity: Floats
    gist: Floats
    neighbours: Floats
    session: Floats
    speaker: Floats
    time: Floats
    relevant: NDArray[np.bool_]

    @property
    def score(self) -> Floats:
        """Fused evidence, from 0 to 1."""
        own = self.entity + self.gist + self.neighbours
        return own + self.session + self.speaker + self.time

    def with_best(self, score: float) -> Evidence:
        """The same evidence in other units: the best turn's is ``score``."""
        best = float(self.score.max(initial=0.0))
        unit = score / best if best > 0 else 0.0
        return Evidence(
            entity=self.entity * unit,
            gist=self.gist * unit,
            neighbours=self.neighbours * unit,
            session=self.session * unit,
            speaker=self.speaker * unit,
            time=self.time * unit,
            relevant=self.relevant,
        )


def weigh(
    turns: Snapshot,
    query_terms: Collection[int],
    query_gist: NDArray[np.uint64],
    gist_bits: int,
    weights: Weights = WEIGHTS,
    dates: Dates = NO_DATES,
    timely: Collection[int] = (),
) -> Evidence:
    """Score every turn for a question.

    Args:
        turns: What is known.
        query_terms: Distinct hashed terms of the question.
        query_gist: Its gist, ``(words,)``.
        gist_bits: Bits of a gist.
        weights: How evidence is fused; a level of weight 0 makes no turn relevant either.
        dates: The times that the question names.
        timely: The hashed terms with which it does.
    """
    weights = weights.given(dates)
    postings = postings_of(turns, query_terms)
    entity, session = _term_evidence(turns, postings, weights)
    likeness = _gist_likeness(turns, query_gist, gist_bits)
    direct = (weights.entity * entity > 0) | (weights.gist * (likeness >= GIST_FLOOR) > 0)
    entity, session = _relative(entity), _relative(session)
    gist = _relative(np.maximum(likeness, 0))
    own = weights.entity * entity + weights.gist * gist
    named = np.array([bool(speaker.terms & postings.asked) for speaker in turns.speakers], float)
    later = np.flatnonzero(turns.previous >= 0)
    earlier = turns.previous[later]
    neighbours = np.zeros_like(own)
    neighbours[later] += weights.previous * own[earlier]
    neighbours[earlier] += weights.following * own[later]
    relevant = direct.copy()
    relevant[later] |= direct[earlier]
    relevant[earlier] |= direct[later]
    time = _closeness(turns, dates.spans)
    sure = max(coverage(turns, postings, timely), resemblance(likeness))
    if dates.only and weights.time and np.any(time == 1):
        relevant |= time == 1
        sure = 1.0
    evidence = Evidence(
        entity=weights.entity * entity,
        gist=weights.gist * gist,
        neighbours=neighbours,
        session=weights.session * session[turns.session],
        speaker=weights.speaker * named[turns.speaker],
        time=weights.time * time,
        relevant=relevant & (sure >= LEAST or len(query_terms) > MOST_ASKED),
    )
    return evidence.with_best(sure)


def _term_evidence(turns: Snapshot, postings: Postings, weights: Weights) -> tuple[Floats, Floats]:
    # BM25 of every turn and of every session.
    _, distinct, owner, term, count = postings
    by_turn = bm25(owner, term, count, turns.lengths, weights)
    lengths = np.bincount(turns.session, weights=turns.lengths)
    pairs, pair = np.unique(
        turns.session[owner].astype(np.int64) * len(distinct) + term, return_inverse=True
    )
    session, term = np.divmod(pairs, max(len(distinct), 1))
    return by_turn, bm25(session, term, np.bincount(pair, weights=count), lengths, weights)


def bm25(
    owner: NDArray[np.integer],
    term: NDArray[np.integer],
    count: NDArray[np.number],
    lengths: NDArray[np.number],
    weights: Weights,
) -> Floats:
    """BM25 with Lucene's ``idf``.

    Args:
        owner: Document of each posting of a query term; one posting per document and term.
        term: Term of each posting, numbered from 0.
        count: How often the document has the term.
        lengths: Number of terms of every document.
        weights: Has ``k1`` and ``b``.

    Returns:
        The score of every document, 0 without a term of the query.
    """
    mean = max(float(np.mean(lengths)), 1.0)
    held_back = weights.k1 * (1 - weights.b + weights.b * lengths[owner] / mean)
    weight = idf(len(lengths), np.bincount(term))
    parts = weight[term] * count / (count + held_back)
    return np.bincount(owner, weights=parts, minlength=len(lengths)).astype(np.float64)


def _gist_likeness(turns: Snapshot, query: NDArray[np.uint64], bits: int) -> Floats:
    # Of the best gist of every turn; -1 for a turn without one.
    best = np.full(len(turns.ids), -1.0)
    np.maximum.at(best, turns.gist_turn, likeness_to(query, turns.gists, bits))
    return best


def _closeness(turns: Snapshot, spans: Sequence[Span]) -> Floats:
    # 1 within a span; half of that at one length of the span from it, a quarter at two: of a day
    # or a month people talk soon before and after.
    best = np.zeros(len(turns.ids))
    for start, end in spans:
        away = np.maximum(np.maximum(start - turns.time_us, turns.time_us - (end - 1)), 0)
        np.maximum(best, np.exp2(away / (start - end)), out=best)
    return best


def _relative(scores: Floats) -> Floats:
    best = scores.max(initial=0.0)
    return scores / best if best > 0 else scores
