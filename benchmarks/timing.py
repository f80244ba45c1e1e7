"""Percentiles of times."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def percentiles(times_ms: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile (nearest rank)."""
    return {"p50": round(statistics.median(times_ms), 2), "p95": _percentile(times_ms, 95)}


def spread(times_ms: Sequence[float]) -> dict[str, float]:
    """The same, and the 99th percentile."""
    return {**percentiles(times_ms), "p99": _percentile(times_ms, 99)}


def _percentile(times_ms: Sequence[float], percent: int) -> float:
    rank = max(0, -(-percent * len(times_ms) // 100) - 1)
    return round(sorted(times_ms)[rank], 2)
