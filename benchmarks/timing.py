"""Percentiles of times."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def percentiles(times_ms: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile (nearest rank)."""
    ordered = sorted(times_ms)
    rank = max(0, -(-95 * len(ordered) // 100) - 1)
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[rank], 2)}
