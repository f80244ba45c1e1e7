"""The lookup's arithmetic: evidence of every level for every turn, fused into one score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.memory.lookup.confidence import (
    ANYTHING,
    LEAST,
    MOST_ASKED,
    coverage,
    resemblance,
)
from r3mem_agents.memory.lookup.dates import Span
from r3mem_agents.memory.lookup.index import Snapshot, product
from r3mem_agents.memory.lookup.listing import worth
from r3mem_agents.memory.lookup.postings import Postings, idf, postings_of
from r3mem_agents.memory.lookup.question import Question
from r3mem_agents.memory.lookup.weights import LEVELS, WEIGHTS, Weights

Floats = NDArray[np.float64]

GIST_FLOOR = 0.3
"""Likeness of gists from which a turn without a term of the question may be returned, if the memory
holds an answer at all (docs/LOG.md, "a gist that is taught")."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The score of every turn, ``(turns,)``, and the parts that add up to it.

    The best turn's score says how sure it is that the memory holds an answer (``confidence``), that
    of the others how much less evidence there is for them.

    Attributes:
        parts: By level, in units of its own; a level that says nothing of any turn may be left out.
            *entity*: from the turn's own terms; *gist*: from its gists; *neighbours*: from the
            turns beside it; *session*: from its session; *speaker*: from the speaker being named;
            *time*: from the time being named. Where a question asks for whatever was said, *entity*
            says how telling a turn is, and *time* how new it is as well.
        unit: What a part counts in the score.
        score: Fused evidence, from 0 to 1.
        relevant: Whether the turn or one beside it has direct evidence. Session, speaker and time
            alone say too little, unless the question has nothing else.
    """

    parts: Mapping[str, Floats]
    unit: float
    score: Floats
    relevant: NDArray[np.bool_]

    def of(self, position: int) -> dict[str, float]:
        """Parts of one turn's score, of every level."""
        return {
            level: float(self.unit * self.parts[level][position]) if level in self.parts else 0.0
            for level in LEVELS
        }


def gist_likeness(turns: Snapshot, question: NDArray[np.float32]) -> Floats:
    """How like the best gist of each turn is to a question, -1 without one; ``(turns,)``.

    An estimate of the cosine of what they mean: of a vector of normal deviates, the signs keep
    ``sqrt(2 / pi)`` of the product with another one.

    Args:
        turns: What is known.
        question: ``(gist_bits,)``, of length 1.
    """
    alike = product(question, turns.gists) * float(np.sqrt(np.pi / (2 * len(question))))
    best = np.full(len(turns.ids), -1.0)
    np.maximum.at(best, turns.gist_turn, np.clip(alike, -1, 1))
    return best


def weigh(
    turns: Snapshot, question: Question, likeness: Floats, weights: Weights = WEIGHTS
) -> Evidence:
    """Score every turn for a question.

    Args:
        turns: What is known.
        question: The question.
        likeness: How like each turn is to it, ``(turns,)``, at most 1; ``gist_likeness``.
        weights: How evidence is fused; a level of weight 0 makes no turn relevant either.
    """
    postings = postings_of(turns.postings, question.terms, turns.silent)
    if question.open and (listed := _listed(turns, question, postings, weights)):
        return listed
    entity, session = _term_evidence(turns, postings, weights)
    if turns.silent is not None:
        likeness = np.where(turns.silent, -1.0, likeness)
    direct = np.zeros(len(likeness), bool)
    if weights.entity:
        direct |= entity > 0
    if weights.gist:
        direct |= likeness >= GIST_FLOOR
    sure = max(coverage(turns, postings, question.timely), resemblance(likeness))
    gist = _relative(np.maximum(likeness, 0), weights.gist)
    entity = _relative(entity, weights.entity)
    neighbours, beside = _neighbours(turns, entity + gist, direct, weights)
    parts = {"entity": entity, "gist": gist, "neighbours": neighbours}
    parts["session"] = _relative(session, weights.session)[turns.session]
    if question.named:
        parts["speaker"] = np.where(_speaks(turns, question), weights.speaker, 0.0)
    relevant = direct | beside if weights.previous or weights.following else direct.copy()
    if question.spans and weights.time:
        time = _closeness(turns, question.spans)
        parts["time"] = np.multiply(time, weights.time, out=time)
    if sure < LEAST and len(question.terms) <= MOST_ASKED:
        relevant[:] = False
    return _fused(parts, sure, relevant)


def _listed(
    turns: Snapshot, question: Question, postings: Postings, weights: Weights
) -> Evidence | None:
    # Whatever was said by the speakers and at the times that the question names, if there is any.
    # Who and when weigh more than everything else together.
    chosen = np.ones(len(turns.ids), bool) if turns.silent is None else ~turns.silent
    parts = {"time": np.zeros(len(chosen))}
    if question.spans and weights.time:
        time = _closeness(turns, question.spans)
        chosen &= time == 1
        parts["time"] += weights.total * time
    if question.named and weights.speaker:
        speaks = _speaks(turns, question)
        chosen &= speaks
        parts["speaker"] = np.where(speaks, weights.total, 0.0)
    if not chosen.any():
        return None
    telling, newer = worth(turns, chosen)
    said, _ = _term_evidence(turns, postings, weights)
    telling *= weights.entity
    parts["entity"] = np.maximum(_relative(said, weights.entity), telling)
    parts["time"] += weights.entity * newer
    sure = 1.0 if question.spans or question.named else ANYTHING
    return _fused(parts, sure, chosen | (said > 0))


def _fused(parts: Mapping[str, Floats], sure: float, relevant: NDArray[np.bool_]) -> Evidence:
    score = np.zeros(len(relevant))
    for part in parts.values():
        score += part
    best = float(score.max(initial=0.0))
    unit = sure / best if best > 0 else 0.0
    return Evidence(parts, unit, np.multiply(score, unit, out=score), relevant)


def _speaks(turns: Snapshot, question: Question) -> NDArray[np.bool_]:
    # Whether each turn is of a speaker whom the question names.
    named = np.zeros(len(turns.speakers), bool)
    named[list(question.named)] = True
    spoken: NDArray[np.bool_] = named[turns.speaker]
    return spoken


def _neighbours(
    turns: Snapshot, own: Floats, direct: NDArray[np.bool_], weights: Weights
) -> tuple[Floats, NDArray[np.bool_]]:
    # Evidence from the turns before and after each in its session, and whether one is direct.
    # Position -1, of a turn that does not exist, is one beyond the last.
    given = own * (weights.brevity / (weights.brevity + turns.lengths))
    padded, following = np.append(given, 0.0), np.zeros(len(own) + 1)
    following[turns.previous] = given
    evidence = weights.previous * padded[turns.previous]
    evidence += np.multiply(following[:-1], weights.following, out=following[:-1])
    before, after = np.append(direct, False), np.zeros(len(own) + 1, bool)
    after[turns.previous] = direct
    return evidence, before[turns.previous] | after[:-1]


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


def _closeness(turns: Snapshot, spans: Sequence[Span]) -> Floats:
    # 1 within a span; half of that at one length of the span from it, a quarter at two: of a day
    # or a month people talk soon before and after.
    best = np.zeros(len(turns.ids))
    for start, end, fade in spans:
        away = np.maximum(np.maximum(start - turns.time_us, turns.time_us - (end - 1)), 0)
        np.maximum(best, np.exp2(-away / (fade or end - start)), out=best)
    return best


def _relative(scores: Floats, weight: float) -> Floats:
    """Scores in place, as shares of the best one, times the weight."""
    best = scores.max(initial=0.0)
    return np.multiply(scores, weight / best, out=scores) if best > 0 else scores
