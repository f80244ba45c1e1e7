"""Summary of a run: from the systems' results to the figures in the JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.recall.ablation import (
    TEACHER,
    UNCOMPARED,
    WORDS,
    WORDS_AND_GIST,
    WORDS_AND_TEACHER,
)
from benchmarks.recall.figures import metrics
from benchmarks.recall.figures.coverage import coverage
from benchmarks.recall.figures.run import Run
from benchmarks.recall.figures.sessions import sessions
from benchmarks.recall.figures.silence import silence
from benchmarks.recall.figures.wanted import Wanted, wanted
from benchmarks.recall.measure import Measured
from benchmarks.recall.plan import DEPTHS
from benchmarks.recall.systems.names import OURS
from benchmarks.timing import percentiles

HEADLINE = "recall@5"
"""The metric that systems are compared by."""

ADDED = {
    "the gist to words alone": (WORDS_AND_GIST, WORDS),
    "its teacher to words alone": (WORDS_AND_TEACHER, WORDS),
    "the gist to all the rest": (UNCOMPARED, "without gist"),
    "its teacher to all the rest": (TEACHER, "without gist"),
}
"""Gains, each with the ranking that has the evidence and the one that lacks it."""

Values = dict[str, list[float]]
"""Per metric, its value for each counted question."""

Counted = Sequence[Wanted]
"""The questions that recall is measured with, in order."""


def summarize(run: Run, count_tokens: Callable[[str], int]) -> dict[str, Any]:
    """The figures of a run.

    Args:
        run: The run.
        count_tokens: Counts the tokens of a context.
    """
    conversations, asks, measured, seed = run
    counted = wanted(conversations, asks)
    values = {
        name: _values(counted, ([id_ for id_, _ in one.rankings[row.place]] for row in counted))
        for name, one in measured.items()
    }
    turns = sum(len(conversation.turns) for conversation in conversations)
    systems = {
        name: _grouped(values[name], counted, seed)
        | _costs(one, turns)
        | {"silence": silence(run, name)}
        | {"before_rivals": _before_rivals(counted, one, seed)}
        for name, one in measured.items()
    }
    figures: dict[str, Any] = {
        "conversations": len(conversations),
        "turns": turns,
        "questions": len(asks),
        "questions_counted": _counts(row.category for row in counted),
        "questions_by_source": _counts(row.source for row in counted),
        "questions_unanswerable": sum(not ask.question.answerable for ask in asks),
        "systems": systems,
        "coverage": coverage(run, count_tokens),
        "sessions": sessions(run),
    }
    if OURS in measured:
        figures["ahead_of"] = {
            name: _lead(values[OURS], theirs, counted, seed)
            for name, theirs in values.items()
            if name != OURS
        }
        less = {name: _values(counted, found) for name, found in measured[OURS].ablations.items()}
        whole = less.get(UNCOMPARED, values[OURS])
        figures["ablation"] = {
            name: _grouped(row, counted, seed)
            | {"lost": _lead(values[OURS] if name == UNCOMPARED else whole, row, counted, seed)}
            for name, row in less.items()
        }
        figures["added"] = {
            name: _lead(less[after], less[before], counted, seed)
            for name, (after, before) in ADDED.items()
            if {after, before} <= less.keys()
        }
    return figures


def _counts(labels: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(labels).items()))


def _values(counted: Counted, found: Iterable[Sequence[str]]) -> Values:
    pairs = [(row.found(ids), row.gold) for row, ids in zip(counted, found, strict=True)]
    values: Values = {}
    for name, metric in metrics.AT_DEPTHS.items():
        for k in DEPTHS:
            values[f"{name}@{k}"] = [metric(*pair, k) for pair in pairs]
    values["mrr"] = [metrics.reciprocal_rank(*pair, DEPTHS[-1]) for pair in pairs]
    return values


def _before_rivals(counted: Counted, measured: Measured, seed: int) -> dict[str, Any] | None:
    # Of the questions with rivals, the share that has gold before them.
    rows = [row for row in counted if row.question.rivals]
    if not rows:
        return None
    values = []
    for row in rows:
        ranking = [id_ for id_, _ in measured.rankings[row.place]]
        gold, rivals = row.question.gold, row.question.rivals
        values.append(metrics.before(ranking, gold, rivals, DEPTHS[-1]))
    labels = [row.category for row in rows]
    return {
        "questions": _counts(labels),
        "overall": metrics.rounded_interval(values, seed),
        "by_category": {
            group: one["before"] for group, one in _by(labels, {"before": values}, seed).items()
        },
    }


def _grouped(values: Values, counted: Counted, seed: int) -> dict[str, Any]:
    # Each metric over all questions, by category, and by source.
    return {
        "overall": {name: metrics.rounded_interval(row, seed) for name, row in values.items()},
        "by_category": _by([row.category for row in counted], values, seed),
        "by_source": _by([row.source for row in counted], values, seed),
    }


def _by(labels: Sequence[str], values: Values, seed: int) -> dict[str, Any]:
    return {
        group: {
            name: metrics.rounded_interval(
                (value for value, label in zip(row, labels, strict=True) if label == group), seed
            )
            for name, row in values.items()
        }
        for group in sorted(set(labels))
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
