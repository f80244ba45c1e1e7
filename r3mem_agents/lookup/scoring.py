"""Scoring: evidence of every level for every turn, fused into one score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.confidence import (
    ANYTHING,
    ENOUGH,
    MAX_ASKED,
    coverage,
    least,
    sureness,
)
from r3mem_agents.lookup.features import features, term_evidence
from r3mem_agents.lookup.matching import said_of
from r3mem_agents.lookup.open_question import worth
from r3mem_agents.lookup.question import Question
from r3mem_agents.lookup.snapshot import DOCUMENT, Snapshot
from r3mem_agents.lookup.weights import LEVELS, WEIGHTS, Weights
from r3mem_agents.timestamps import Span

Floats = NDArray[np.float64]

GIST_FLOOR = 0.15
"""Lowest similarity at which a turn without a term of the question may be returned, if the memory
holds an answer at all: one standard deviation above that of unrelated turns."""

SPREAD = 4.0
"""A turn whose log-odds are this much lower than the best one's has 1 / e of its score. Chosen."""

WHO_AND_WHEN = 10.0
"""Weight of a named speaker or time for a question that has nothing else: more than everything else
together."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The score of every turn, ``(turns,)``, and the parts that it is computed from.

    The best turn's score is the probability that the memory holds an answer (``confidence``); the
    others' scores say how much less evidence there is for them.

    Attributes:
        parts: By level, log-odds that speak for the turn, or against it; a level that says nothing
            of any turn may be left out. *words*: from the turn's own terms; *gist*: from its
            gists; *neighbours*: from the turns beside it; *session*: from its session; *speaker*:
            from the speaker being named; *time*: from the time being named; *role*: from who
            speaks, and how. Where a question asks for whatever was said, *words* says how telling
            a turn is, and *time* how new it is as well.
        odds: The sum of the parts, by which turns are ranked. Meaningless for turns that are not
            relevant.
        score: From 0 to 1.
        relevant: Whether the turn or a neighbour has direct evidence. Session, speaker and time
            alone do not suffice, unless the question has nothing else.
        sure: Probability that the memory holds an answer.
        best: Position of the turn with the most evidence, by which that is judged; ``None`` if no
            turn has any, or was asked for.
        listed: Whether the question asks for anything that was said, and found some.
    """

    parts: Mapping[str, Floats]
    odds: Floats
    score: Floats
    relevant: NDArray[np.bool_]
    sure: float
    best: int | None = None
    listed: bool = False

    def of(self, position: int) -> dict[str, float]:
        """Return the parts of one turn's log-odds, of every level."""
        return {
            level: float(self.parts[level][position]) if level in self.parts else 0.0
            for level in LEVELS
        }


@dataclass(frozen=True, slots=True)
class Considered:
    """What a lookup considers before evidence is fused.

    Attributes:
        places: Positions of the turns with direct evidence, and of their neighbours.
        features: Their features, ``(places,)`` each.
        covered: How much of the question's weightiest terms each turn says, ``(turns,)``.
        passages: Whether each turn is a passage of a document, ``(turns,)``.
        several_roles: Whether the memory's other turns have several roles.
    """

    places: NDArray[np.intp]
    features: Mapping[str, Floats]
    covered: Floats
    passages: NDArray[np.bool_]
    several_roles: bool

    def used(self, position: int, weights: Weights) -> Mapping[str, float]:
        """Return the weights of the features of one turn.

        Nobody speaks in a passage: beside talk with an assistant, too, it is weighed as where one
        role speaks.
        """
        return weights.of(several_roles=self.several_roles and not self.passages[position])

    def evidence(self, weights: Weights) -> dict[str, Floats]:
        """Return what each level says of each place, in log-odds, ``(places,)``."""
        levels = self._fused(weights.of(several_roles=self.several_roles))
        passages = self.passages[self.places]
        if self.several_roles and passages.any():
            alone = self._fused(weights.people)
            levels = {name: np.where(passages, alone[name], part) for name, part in levels.items()}
        return levels

    def _fused(self, used: Mapping[str, float]) -> dict[str, Floats]:
        none = np.zeros(len(self.places))
        return {
            level: sum((used[name] * self.features[name] for name in names), none)
            for level, names in LEVELS.items()
        }


def consider(
    turns: Snapshot, question: Question, similarity: Floats, weights: Weights = WEIGHTS
) -> Considered:
    """Find the turns that there is evidence for, and their features; see ``weigh``."""
    postings = said_of(turns, question)
    said = term_evidence(turns, postings, question)
    direct = np.zeros(len(similarity), bool)
    if weights.has("words"):
        direct |= said.turns > 0
    if weights.has("gist"):
        direct |= similarity >= GIST_FLOOR
    if weights.has("neighbours"):
        direct |= _beside(turns, direct)
    direct &= turns.speaking()
    places = np.flatnonzero(direct)
    closeness = _closeness(turns, question.spans) if question.spans else None
    documents = np.array([speaker.role == DOCUMENT for speaker in turns.speakers], bool)
    return Considered(
        places=places,
        features=features(turns, question, said, similarity, closeness, places),
        covered=coverage(turns, postings, question),
        passages=documents[turns.speaker],
        several_roles=len({speaker.role for speaker in turns.speakers} - {DOCUMENT}) > 1,
    )


def weigh(
    turns: Snapshot, question: Question, similarity: Floats, weights: Weights = WEIGHTS
) -> Evidence:
    """Score every turn for a question.

    Args:
        turns: The turns.
        question: The question.
        similarity: Of each turn to the question, ``(turns,)``, -1 without a gist.
        weights: How evidence is fused; a level of weight 0 does not make turns relevant either.
    """
    if question.open and (listed := _listed(turns, question, weights)):
        return listed
    seen = consider(turns, question, similarity, weights)
    parts, odds = {}, np.zeros(len(seen.places))
    for level, part in seen.evidence(weights).items():
        odds += part
        parts[level] = np.zeros(len(turns.ids))
        parts[level][seen.places] = part
    relevant = np.zeros(len(turns.ids), bool)
    # Without terms of its own a question asks for nothing: "And then?", or a day without turns.
    if not len(odds) or question.terms <= question.timely:
        return _fused(parts, 0.0, relevant)
    best = seen.places[odds.argmax()]
    known = weights.has("gist") and similarity[best] > -1
    sure = sureness(float(seen.covered[best]), float(similarity[best]) if known else None)
    asks = not question.vague or seen.covered[best] > 0 or similarity[best] >= ENOUGH
    enough = sure >= least(float(seen.covered[best])) or question.length > MAX_ASKED
    relevant[seen.places] = asks and enough
    return _fused(parts, sure, relevant, best=int(best))


def _beside(turns: Snapshot, direct: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # Whether the turn before or after has direct evidence. Position -1, of a turn that does not
    # exist, is one past the last.
    after = np.zeros(len(direct) + 1, bool)
    after[turns.previous] = direct
    beside: NDArray[np.bool_] = np.append(direct, False)[turns.previous] | after[:-1]
    return beside


def _listed(turns: Snapshot, question: Question, weights: Weights) -> Evidence | None:
    # Everything that was said by the speakers and at the times that the question names, if
    # anything.
    chosen = turns.speaking()
    parts = {"time": np.zeros(len(chosen))}
    if question.spans and weights.has("time"):
        time = _closeness(turns, question.spans)
        chosen &= time == 1
        parts["time"] += WHO_AND_WHEN * time
    if question.named and weights.has("speaker"):
        named = np.zeros(len(turns.speakers), bool)
        named[list(question.named)] = True
        chosen &= named[turns.speaker]
        parts["speaker"] = np.where(named[turns.speaker], WHO_AND_WHEN, 0.0)
    if not chosen.any():
        return None
    postings = said_of(turns, question)
    telling, newer = worth(turns, chosen)
    said = term_evidence(turns, postings, question).turns
    best = max(float(said.max(initial=0.0)), 1e-9)
    parts["words"] = np.maximum(said / best, telling)
    parts["time"] += newer
    sure = 1.0 if question.spans or question.named else ANYTHING
    return _fused(parts, sure, chosen | (said > 0), listed=True)


def _fused(
    parts: Mapping[str, Floats],
    sure: float,
    relevant: NDArray[np.bool_],
    *,
    best: int | None = None,
    listed: bool = False,
) -> Evidence:
    odds = np.zeros(len(relevant))
    for part in parts.values():
        odds += part
    score = np.zeros(len(odds))
    if relevant.any():
        score[relevant] = sure * np.exp((odds[relevant] - odds[relevant].max()) / SPREAD)
    return Evidence(parts, odds, score, relevant, sure, best, listed)


def _closeness(turns: Snapshot, spans: Sequence[Span]) -> Floats:
    # 1 within a span; a half at one length of the span away from it, a quarter at two: people talk
    # about a day or a month soon before and after it.
    best = np.zeros(len(turns.ids))
    for start, end, fade in spans:
        away = np.maximum(np.maximum(start - turns.time_us, turns.time_us - (end - 1)), 0)
        np.maximum(best, np.exp2(-away / (fade or end - start)), out=best)
    return best
