"""The features of a turn as an answer: numbers that are about 0 for an unrelated turn.

All functions are pure functions of arrays. ``places`` are the positions of the turns to compute
them for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.confidence import UNHEARD_TURNS, UNRELATED, UNRELATED_SPREAD
from r3mem_agents.lookup.postings import Postings, idf
from r3mem_agents.lookup.question import Question
from r3mem_agents.lookup.snapshot import USER, Snapshot

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

HOLD, HOLD_PER_TERM = 0.45, 0.02
"""A term that is said once in a turn of ``n`` terms counts 1 / (1 + 0.45 + 0.02 n) of its weight.
The length is absolute: relative to the average, a memory's long answers would crowd out its short
turns."""

K1, B = 0.9, 0.5
"""BM25's constants for sessions, whose lengths are compared with each other."""

BREVITY = 50.0
"""Number of terms at which a turn passes half of its evidence to its neighbours; longer turns pass
less (docs/LOG.md, "long turns speak for themselves")."""

MAX_SPREADS = 8.0
"""Cap on how many standard deviations above the others count."""


class Said(NamedTuple):
    """Evidence of a question's terms for turns and sessions.

    Attributes:
        turns: Term evidence of every turn, ``(turns,)``: BM25 with absolute length.
        sessions: BM25 of every session as one document, ``(sessions,)``.
        mass: The greatest evidence possible: the weight of all terms asked for.
    """

    turns: Floats
    sessions: Floats
    mass: float


def term_evidence(turns: Snapshot, postings: Postings, question: Question) -> Said:
    """Weigh the terms of a question; those that name a time do not count here."""
    distinct, owner, term, count = postings.terms, postings.owner, postings.term, postings.counts
    documents = len(turns.ids) + UNHEARD_TURNS
    weight = idf(documents, postings.heard)
    weight[np.isin(distinct, list(question.timely))] = 0.0
    hold = HOLD + HOLD_PER_TERM * turns.lengths[owner]
    by_turn = np.bincount(
        owner, weight[term] * postings.share * count / (count + hold), len(turns.ids)
    )
    unheard = len(postings.asked - question.timely) - int(np.count_nonzero(weight))
    mass = float(weight.sum()) + unheard * float(idf(documents, np.zeros(1, int))[0])
    pairs, pair = np.unique(
        turns.session[owner].astype(np.int64) * max(len(distinct), 1) + term, return_inverse=True
    )
    session, term = np.divmod(pairs, max(len(distinct), 1))
    lengths = np.bincount(turns.session, turns.lengths)
    by_session = bm25(session, term, np.bincount(pair, count * postings.share), lengths)
    return Said(by_turn.astype(np.float64), by_session, mass)


def bm25(
    owner: NDArray[np.integer],
    term: NDArray[np.integer],
    count: NDArray[np.number],
    lengths: NDArray[np.number],
) -> Floats:
    """Score documents by BM25 with Lucene's ``idf``.

    Args:
        owner: Document of each posting of a query term; one posting per document and term.
        term: Term of each posting, numbered from 0.
        count: How often the document has the term.
        lengths: Number of terms of every document.

    Returns:
        The score of every document, 0 without a term of the query.
    """
    mean = max(float(np.mean(lengths)), 1.0)
    held_back = K1 * (1 - B + B * lengths[owner] / mean)
    weight = idf(len(lengths), np.bincount(term))
    parts = weight[term] * count / (count + held_back)
    return np.bincount(owner, parts, len(lengths)).astype(np.float64)


def standing_out(similarity: Floats) -> Floats:
    """Return how far each similarity is above the memory's mean, in standard deviations.

    The mean of a small memory is unreliable, so pseudo-counts are added to it. A turn without a
    gist (-1) counts as average.
    """
    heard = similarity[similarity > -1]
    whole = len(heard) + UNHEARD_TURNS
    mean = (float(heard.sum()) + UNHEARD_TURNS * UNRELATED) / whole
    spread = float(((heard - mean) ** 2).sum())
    spread += UNHEARD_TURNS * (UNRELATED_SPREAD**2 + (UNRELATED - mean) ** 2)
    found = np.where(similarity > -1, (similarity - mean) / np.sqrt(spread / whole), 0.0)
    return np.clip(found, -MAX_SPREADS / 4, MAX_SPREADS)


def features(
    turns: Snapshot,
    question: Question,
    said: Said,
    similarity: Floats,
    closeness: Floats | None,
    places: Places,
) -> dict[str, Floats]:
    """Return the features of turns, by the names of ``weights.FEATURES``; ``(places,)`` each.

    Args:
        turns: The turns.
        question: The question.
        said: Evidence of its terms.
        similarity: Of each turn to the question, ``(turns,)``, -1 without a gist.
        closeness: How near each turn is to the times that the question names, if any; ``(turns,)``.
        places: Positions of the turns to compute features for.
    """
    terms = said.turns / 10
    best = max(float(terms.max(initial=0.0)), 1e-9)
    share = said.turns / max(said.mass, 1e-9)
    unsaid = 1 - float(share.max(initial=0.0))
    above = standing_out(similarity) / 4
    alike = 4 * np.maximum(similarity - UNRELATED, 0.0)
    found = {
        "said": terms[places],
        "said_relative": terms[places] / best,
        "said_share": share[places],
        "alike_relative": above[places],
        "alike_unsaid": alike[places] * unsaid,
        "alike_relative_unsaid": above[places] * unsaid,
    }
    found |= _beside(turns, terms, places)
    like_sessions = np.zeros(len(turns.sessions))
    np.maximum.at(like_sessions, turns.session, above)
    found["session_said"] = (said.sessions / 10)[turns.session[places]]
    found["session_alike"] = like_sessions[turns.session[places]]
    named = np.zeros(len(turns.speakers))
    named[list(question.named)] = 1.0
    found["named"] = named[turns.speaker[places]]
    found["named_said"] = found["named"] * found["said_relative"]
    found["then"] = np.zeros(len(places)) if closeness is None else closeness[places]
    found["newer"] = _newer(turns)[places] * (not question.past)
    return found | _role(turns, question, places)


def _newer(turns: Snapshot) -> Floats:
    # The share of turns that are older.
    order = np.argsort(turns.time_us, kind="stable")
    newer = np.empty(len(order))
    newer[order] = np.arange(len(order)) / len(order)
    return newer


def _beside(turns: Snapshot, terms: Floats, places: Places) -> dict[str, Floats]:
    # Evidence of the neighbouring turns. Position -1, of a turn that does not exist, is one past
    # the last.
    given = np.append(terms * (BREVITY / (BREVITY + turns.lengths)), 0.0)
    after = np.full(len(given), -1)
    after[turns.previous] = np.arange(len(terms))
    return {"before_said": given[turns.previous[places]], "after_said": given[after[places]]}


def _role(turns: Snapshot, question: Question, places: Places) -> dict[str, Floats]:
    # Who speaks, and how: users talk about themselves, assistants at length.
    users = np.array([speaker.role == USER for speaker in turns.speakers])
    user = users[turns.speaker[places]].astype(float)
    return {
        "user": user,
        "user_personal": user * question.personal,
        "length": np.log1p(turns.lengths[places]) / 4,
        "asks": turns.asks[places].astype(float),
        "follows": np.append(turns.asks, False)[turns.previous[places]].astype(float),
    }
