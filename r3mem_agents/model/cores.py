"""How many cores this process may use."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


@cache
def allowed() -> int:
    """Cores that the system lets this process use at once, one at least."""
    if hasattr(os, "sched_getaffinity"):
        given = len(os.sched_getaffinity(0))
    else:
        given = os.cpu_count() or 1
    return max(min(given, quota(Path("/sys/fs/cgroup"), given)), 1)


def quota(groups: Path, most: int) -> int:
    """Cores that a container may use at once: the quota of its control group, v2 or v1."""
    try:
        share, period = (groups / "cpu.max").read_text().split()
    except OSError:
        try:
            share = (groups / "cpu" / "cpu.cfs_quota_us").read_text()
            period = (groups / "cpu" / "cpu.cfs_period_us").read_text()
        except OSError:
            share, period = "max", "1"
    limited = share != "max" and int(share) > 0  # v1 writes -1 for no quota
    return int(share) // int(period) if limited else most
