"""From what systems found to figures: the JSON of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from r3mem_agents.bench.recall import metrics
from r3mem_agents.bench.recall.ablation import (
    ENTITY,
    ENTITY_AND_GIST,
    ENTITY_AND_TEACHER,
    TEACHER,
)
from r3mem_agents.bench.recall.coverage import coverage
from r3mem_agents.bench.recall.data import Conversation, Question
from r3mem_agents.bench.recall.measure import Measured
from r3mem_agents.bench.recall.plan import DEPTHS, Ask
from r3mem_agents.bench.recall.sessions import sessions
from r3mem_agents.bench.recall.systems import OURS
from r3mem_agents.bench.speed import percentiles

HEADLINE = "recall@5"
"""The metric that systems are compared by."""

UNCATEGORIZED = "uncategorized"
"""Category of questions that name none."""

ADDED = {
    "the gist to entity alone": (ENTITY_AND_GIST, ENTITY),
    "its teacher to entity alone": (ENTITY_AND_TEACHER, ENTITY),
    "the gist to all the rest": (OURS, "without gist"),
    "its teacher to all the rest": (TEACHER, "without gist"),
}
"""What brings something to what, with the two rankings that tell."""

NOTHING_FOUND = float("-inf")
"""The score of finding nothing: below every other."""

Values = dict[str, list[float]]
"""Per metric, its value for each counted question."""

Counted = Sequence[Question]
"""The questions that recall is measured with, in order."""


def summarize(
    conversations: Sequence[Conversation],
    asks: Sequence[Ask],
    measured: Mapping[str, Measured],
    count_tokens: Callable[[str], int],
    seed: int,
) -> dict[str, Any]:
    """The figures of a run.

    Args:
        conversations: The data.
        asks: What was asked.
        measured: What each system did.
        count_tokens: Counts the tokens of a context.
        seed: Of the bootstrap.
    """
    counted = [ask.question for ask in asks if ask.question.counted]
    values = {name: _values(counted, _found(asks, one)) for name, one in measured.items()}
    turns = sum(len(conversation.turns) for conversation in conversations)
    systems = {
        name: _grouped(values[name], counted, seed)
        | _costs(one, turns)
        | {"nothing_fits": _nothing_fits(asks, one)}
        for name, one in measured.items()
    }
    figures: dict[str, Any] = {
        "conversations": len(conversations),
        "turns": turns,
        "questions": len(asks),
        "questions_counted": dict(sorted(Counter(map(category, counted)).items())),
        "questions_unanswerable": sum(not ask.question.answerable for ask in asks),
        "systems": systems,
        "coverage": coverage(conversations, asks, measured, count_tokens, seed),
        "sessions": sessions(conversations, asks, measured, seed),
    }
    if OURS in measured:
        figures["ahead_of"] = {
            name: _lead(values[OURS], theirs, counted, seed)
            for name, theirs in values.items()
            if name != OURS
        }
        less = {name: _values(counted, found) for name, found in measured[OURS].ablations.items()}
        figures["ablation"] = {
            name: _grouped(row, counted, seed) | {"lost": _lead(values[OURS], row, counted, seed)}
            for name, row in less.items()
        }
        known = less | {OURS: values[OURS]}
        figures["added"] = {
            name: _lead(known[after], known[before], counted, seed)
            for name, (after, before) in ADDED.items()
            if {after, before} <= known.keys()
        }
    return figures


def category(question: Question) -> str:
    """What a question's figures are found under."""
    return question.category or UNCATEGORIZED


def _found(asks: Sequence[Ask], measured: Measured) -> list[list[str]]:
    return [
        [id_ for id_, _ in hits]
        for ask, hits in zip(asks, measured.rankings, strict=True)
        if ask.question.counted
    ]


def _values(counted: Counted, found: Sequence[Sequence[str]]) -> Values:
    pairs = list(zip(found, (question.gold for question in counted), strict=True))
    recall = {f"recall@{k}": [metrics.recall_at(*pair, k) for pair in pairs] for k in DEPTHS}
    hits = {f"hit@{k}": [metrics.hit_at(*pair, k) for pair in pairs] for k in DEPTHS}
    return recall | hits | {"mrr": [metrics.reciprocal_rank(*pair, DEPTHS[-1]) for pair in pairs]}


def _grouped(values: Values, counted: Counted, seed: int) -> dict[str, Any]:
    # Each metric over all questions, and by category.
    groups = sorted({category(question) for question in counted})
    return {
        "overall": {name: metrics.rounded_interval(row, seed) for name, row in values.items()},
        "by_category": {
            group: {
                name: metrics.rounded_interval(
                    (v for v, q in zip(row, counted, strict=True) if category(q) == group), seed
                )
                for name, row in values.items()
            }
            for group in groups
        },
    }


def _lead(ours: Values, theirs: Values, counted: Counted, seed: int) -> dict[str, Any]:
    # How far the first is ahead of the second, question by question.
    pairs = zip(ours[HEADLINE], theirs[HEADLINE], strict=True)
    return _grouped({HEADLINE: [a - b for a, b in pairs]}, counted, seed)


def _costs(measured: Measured, turns: int) -> dict[str, Any]:
    return {
        "lookup_ms": percentiles(measured.lookup_ms) if measured.lookup_ms else None,
        "write_s": round(measured.write_s, 3),
        "write_turns_per_s": round(turns / measured.write_s, 1) if measured.write_s else None,
        "disk_bytes": measured.disk_bytes,
        "peak_memory_bytes": measured.peak_bytes,
    }


def _nothing_fits(asks: Sequence[Ask], measured: Measured) -> dict[str, Any]:
    """How well finding is told from not finding.

    Questions with an answer, put to their conversation, are set against two kinds that have none
    there: the unanswerable ones, and the same questions put to another conversation.
    """
    answerable: list[float] = []
    unanswerable: list[float] = []
    for ask, hits in zip(asks, measured.rankings, strict=True):
        side = answerable if ask.question.answerable else unanswerable
        side.append(hits[0][1] if hits else NOTHING_FOUND)
    elsewhere = [
        NOTHING_FOUND if best is None else best
        for ask, best in zip(asks, measured.elsewhere, strict=True)
        if ask.elsewhere is not None
    ]
    return {
        "unanswerable": _separation(answerable, unanswerable),
        "wrong_conversation": _separation(answerable, elsewhere),
    }


def _separation(present: list[float], absent: list[float]) -> dict[str, Any] | None:
    found = metrics.auroc(present, absent)
    if found is None:
        return None
    answered = sum(score > NOTHING_FOUND for score in present) / len(present)
    refused = sum(score == NOTHING_FOUND for score in absent) / len(absent)
    return {
        "questions": len(absent),
        "auroc": round(found, 5),
        "answered_share": round(answered, 5),
        "refused_share": round(refused, 5),
        "balanced_accuracy": round((answered + refused) / 2, 5),
    }
