"""Metrics of a ranking: recall, reciprocal rank, separation, and their intervals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 1000
"""Resamples of the bootstrap; chosen: its own error is then far below the intervals."""

LEVEL = 0.95

BLOCK = 50_000
"""Values drawn at once: few calls for few questions, little memory for many."""


class Interval(NamedTuple):
    """A mean over questions, and the bounds of its bootstrap interval."""

    value: float
    low: float
    high: float

    def rounded(self) -> dict[str, float]:
        """As JSON, to five digits."""
        return {name: round(figure, 5) for name, figure in self._asdict().items()}


def recall_at(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """Share of the gold turns among the first ``k``."""
    return len(set(ranking[:k]) & set(gold)) / len(set(gold))


def any_at(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """1 if a gold turn is among the first ``k``, otherwise 0."""
    return float(not set(ranking[:k]).isdisjoint(gold))


def all_at(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """1 if all gold turns are among the first ``k``, otherwise 0."""
    return float(set(ranking[:k]).issuperset(gold))


def reciprocal_rank(ranking: Sequence[str], gold: Collection[str], k: int) -> float:
    """Return the reciprocal rank of the first gold turn among the first ``k``, 0 without one."""
    return next((1 / place for place, id_ in enumerate(ranking[:k], 1) if id_ in gold), 0.0)


def before(ranking: Sequence[str], gold: Collection[str], rivals: Collection[str], k: int) -> float:
    """1 if the first of the gold turns and their rivals among the first ``k`` is gold."""
    first = next((id_ for id_ in ranking[:k] if id_ in gold or id_ in rivals), None)
    return float(first in gold)


AT_DEPTHS: Mapping[str, Callable[[Sequence[str], Collection[str], int], float]] = {
    "recall": recall_at,
    "any": any_at,
    "all": all_at,
}
"""Metrics that are taken at several depths, by name."""


def interval(values: Iterable[float], seed: int) -> Interval | None:
    """Return the mean with its percentile bootstrap interval; ``None`` without values.

    With the same seed, sets of equal size are resampled identically.
    """
    sample = np.fromiter(values, float)
    if not len(sample):
        return None
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK // len(sample))
    means = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, block):
        some = means[start : start + block]
        drawn = generator.integers(len(sample), size=(len(some), len(sample)))
        some[:] = sample[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(sample.mean()), float(low), float(high))


def rounded_interval(values: Iterable[float], seed: int) -> dict[str, float] | None:
    """``interval`` as JSON."""
    found = interval(values, seed)
    return None if found is None else found.rounded()


def take(ranking: Iterable[str], cost: Sequence[int], budget: int) -> list[str]:
    """The turns that fit into a budget, best first; one that does not fit is skipped.

    Args:
        ranking: Ids, best first.
        cost: Tokens of each of them.
        budget: Tokens in all.
    """
    taken = []
    for id_, tokens in zip(ranking, cost, strict=True):
        if tokens <= budget:
            taken.append(id_)
            budget -= tokens
    return taken
