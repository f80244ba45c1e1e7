"""The lookup's arithmetic: evidence of every level for every turn, fused into one score."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.memory.index import Snapshot

Floats = NDArray[np.float64]

TERM_VALUES = 1 << 24
"""How many values a hashed term can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How evidence is fused.

    The values are those with the best recall@5 of gold turns on LoCoMo and on a second set of
    human chats, chosen by hand on the first (docs/LOG.md, "lookup"): 0.608 and 0.475, against
    0.514 and 0.440 without the last four. ``k1`` and ``b`` are Lucene's defaults.

    Attributes:
        entity: BM25 of the turn.
        gist: Likeness of the best of the turn's gists to the question's.
        previous: Entity and gist evidence of the turn before it in the session.
        following: The same of the turn after it.
        session: BM25 of its session, taken as one document.
        speaker: The question names the speaker.
        k1: How fast a repeated term saturates.
        b: How far long turns are held back.
    """

    entity: float = 1.0
    gist: float = 1.0
    previous: float = 0.3
    following: float = 0.1
    session: float = 0.3
    speaker: float = 0.1
    k1: float = 1.2
    b: float = 0.75

    @property
    def total(self) -> float:
        """The greatest sum that a turn can reach: what scores are divided by."""
        around = (self.entity + self.gist) * (1 + self.previous + self.following)
        return around + self.session + self.speaker

    def without(self, level: str) -> Weights:
        """The same weights, with one level of :data:`LEVELS` left out."""
        return replace(self, **dict.fromkeys(LEVELS[level], 0.0))


LEVELS: Mapping[str, tuple[str, ...]] = {
    "entity": ("entity",),
    "gist": ("gist",),
    "neighbours": ("previous", "following"),
    "session": ("session",),
    "speaker": ("speaker",),
}
"""The weights of each level of evidence."""

WEIGHTS = Weights()

GIST_FLOOR = 0.3
"""Likeness of gists from which a turn without a term of the question is worth returning.

Provisional: between unrelated random gists of 256 bits the likeness is 0 with a deviation of
0.0625, so this is far out even among 100,000 turns; it is to be replaced by a value measured on
questions without an answer (docs/LOG.md, "lookup").
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Parts of the score of every turn, ``(turns,)`` each; they add up to ``score``.

    Attributes:
        entity: From its own terms.
        gist: From its own gists.
        neighbours: From the turns beside it.
        session: From its session.
        speaker: From the speaker being named.
        relevant: Whether the turn or one beside it has direct evidence. Session and speaker alone
            say too little.
    """

    entity: Floats
    gist: Floats
    neighbours: Floats
    session: Floats
    speaker: Floats
    relevant: NDArray[np.bool_]

    @property
    def score(self) -> Floats:
        """Fused evidence, from 0 to 1."""
        return self.entity + self.gist + self.neighbours + self.session + self.speaker


def weigh(
    turns: Snapshot,
    query_terms: Collection[int],
    query_gist: NDArray[np.uint64],
    gist_bits: int,
    weights: Weights = WEIGHTS,
) -> Evidence:
    """Score every turn for a question.

    Args:
        turns: What is known.
        query_terms: Distinct hashed terms of the question.
        query_gist: Its gist, ``(words,)``.
        gist_bits: Bits of a gist.
        weights: How evidence is fused; a level of weight 0 makes no turn relevant either.
    """
    entity, session = _term_evidence(turns, query_terms, weights)
    likeness = _gist_likeness(turns, query_gist, gist_bits)
    direct = (weights.entity * entity > 0) | (weights.gist * (likeness >= GIST_FLOOR) > 0)
    entity, session = _relative(entity), _relative(session)
    gist = _relative(np.maximum(likeness, 0))
    own = weights.entity * entity + weights.gist * gist
    named = np.array([bool(speaker.terms & set(query_terms)) for speaker in turns.speakers], float)
    later = np.flatnonzero(turns.previous >= 0)
    earlier = turns.previous[later]
    neighbours = np.zeros_like(own)
    neighbours[later] += weights.previous * own[earlier]
    neighbours[earlier] += weights.following * own[later]
    relevant = direct.copy()
    relevant[later] |= direct[earlier]
    relevant[earlier] |= direct[later]
    return Evidence(
        entity=weights.entity * entity / weights.total,
        gist=weights.gist * gist / weights.total,
        neighbours=neighbours / weights.total,
        session=weights.session * session[turns.session] / weights.total,
        speaker=weights.speaker * named[turns.speaker] / weights.total,
        relevant=relevant,
    )


def _term_evidence(
    turns: Snapshot, query_terms: Collection[int], weights: Weights
) -> tuple[Floats, Floats]:
    # BM25 of every turn and of every session.
    wanted = np.zeros(TERM_VALUES, bool)  # one look-up per posting, however long the question
    wanted[np.fromiter(query_terms, np.int64, len(query_terms))] = True
    hits = np.flatnonzero(wanted[turns.terms])
    owner, count = turns.term_turn[hits], turns.term_count[hits]
    distinct, term = np.unique(turns.terms[hits], return_inverse=True)
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
    """BM25 with Lucene's idf, ``ln(1 + (N - n + 0.5) / (n + 0.5))``.

    Args:
        owner: Document of each posting of a query term; one posting per document and term.
        term: Term of each posting, numbered from 0.
        count: How often the document has the term.
        lengths: Number of terms of every document.
        weights: Has ``k1`` and ``b``.

    Returns:
        The score of every document, 0 without a term of the query.
    """
    found = np.bincount(term)
    idf = np.log1p((len(lengths) - found + 0.5) / (found + 0.5))
    mean = max(float(np.mean(lengths)), 1.0)
    held_back = weights.k1 * (1 - weights.b + weights.b * lengths[owner] / mean)
    parts = idf[term] * count / (count + held_back)
    return np.bincount(owner, weights=parts, minlength=len(lengths)).astype(np.float64)


def _gist_likeness(turns: Snapshot, query: NDArray[np.uint64], bits: int) -> Floats:
    # 1 - 2 * hamming / bits of the best gist of every turn; -1 for a turn without one.
    distance = np.bitwise_count(turns.gists ^ query).sum(axis=1, dtype=np.int64)
    best = np.full(len(turns.ids), -1.0)
    np.maximum.at(best, turns.gist_turn, 1 - 2 * distance / bits)
    return best


def _relative(scores: Floats) -> Floats:
    best = scores.max(initial=0.0)
    return scores / best if best > 0 else scores
