"""From the systems' rankings to the figures in the JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.documents.measure import DEPTH, DEPTHS, Measured
from benchmarks.documents.sets import DocumentSet
from benchmarks.recall.figures import metrics
from benchmarks.recall.systems.names import OURS
from benchmarks.timing import percentiles

Values = Mapping[str, Sequence[float]]
"""Per metric, its value for each question."""


def summarize(
    sets: Mapping[str, DocumentSet], measured: Mapping[str, Measured], seed: int
) -> dict[str, Any]:
    """Return the figures of a run.

    Args:
        sets: The documents and questions, by user.
        measured: The measurement of each system.
        seed: Seed of the bootstrap.
    """
    gold = [asked.gold for one in sets.values() for asked in one.questions]
    owners = [name for name, one in sets.items() for _ in one.questions]
    values = {name: _values(gold, one.rankings) for name, one in measured.items()}
    ours = measured.get(OURS)
    figures: dict[str, Any] = {
        "sets": {name: _described(one) for name, one in sets.items()},
        "questions": len(gold),
        "systems": {
            name: _grouped(values[name], owners, seed) | _costs(one, ours)
            for name, one in measured.items()
        },
    }
    if ours is not None:
        figures["ahead_of"] = {
            name: _grouped(_less(values[OURS], theirs), owners, seed)
            for name, theirs in values.items()
            if name != OURS
        }
        if ours.beside_talk:
            beside = _values(gold, ours.beside_talk)
            figures["beside_talk"] = _grouped(beside, owners, seed)
            figures["lost_beside_talk"] = _grouped(_less(values[OURS], beside), owners, seed)
    return figures


def _described(one: DocumentSet) -> dict[str, Any]:
    gold = [len(asked.gold) for asked in one.questions]
    return {
        "documents": len(one.documents),
        "passages": len(one.passages),
        "text_bytes": one.text_bytes,
        "questions": len(gold),
        "gold_passages_per_question": round(sum(gold) / max(len(gold), 1), 3),
    }


def _values(gold: Sequence[Sequence[str]], found: Iterable[Sequence[str]]) -> Values:
    pairs = list(zip(found, gold, strict=True))
    values = {
        f"{name}@{k}": [metrics.AT_DEPTHS[name](*pair, k) for pair in pairs]
        for name in ("recall", "any")
        for k in DEPTHS
    }
    return values | {"mrr": [metrics.reciprocal_rank(*pair, DEPTH) for pair in pairs]}


def _less(ours: Values, theirs: Values) -> Values:
    # How far the first is ahead of the second, question by question.
    return {
        name: [a - b for a, b in zip(row, theirs[name], strict=True)] for name, row in ours.items()
    }


def _grouped(values: Values, owners: Sequence[str], seed: int) -> dict[str, Any]:
    # Each metric over all questions, and by set.
    return {
        "overall": {name: metrics.rounded_interval(row, seed) for name, row in values.items()},
        "by_set": {
            owner: {
                name: metrics.rounded_interval(
                    (value for value, of in zip(row, owners, strict=True) if of == owner), seed
                )
                for name, row in values.items()
            }
            for owner in dict.fromkeys(owners)
        },
    }


def _costs(measured: Measured, ours: Measured | None) -> dict[str, Any]:
    lookup = percentiles(measured.lookup_ms)
    times = lookup["p50"] / percentiles(ours.lookup_ms)["p50"] if ours else None
    return {
        "lookup_ms": lookup,
        "lookup_times_ours": None if times is None else round(times, 3),
        "write_s": round(measured.write_s, 3),
        "disk_bytes": measured.disk_bytes,
    }
