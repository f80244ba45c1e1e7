"""Work in parts: the calls of the engine let other threads run, so each core may take one.

No thread waits by spinning, and no result depends on their number.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache

import numpy as np

from r3mem_agents.forking import in_children
from r3mem_agents.model.cores import allowed
from r3mem_agents.model.predictions import Integers

WORTH_A_THREAD = 64
"""Positions of a part at least: a thread takes 0.1 ms to begin, they take 2 to 10 ms; chosen."""


def in_parts(work: Callable[[slice], None], positions: Integers) -> None:
    """Do work on rows, in as many parts at once as there are cores.

    Args:
        work: Called with slices of the rows that together cover all of them; not at all if there
            is no row.
        positions: ``(rows,)``, how much work each row is.
    """
    parts = _parts(positions)
    others = [begun for part in parts[1:] if (begun := _begun(work, part))]
    try:
        for part in parts[: len(parts) - len(others)]:
            work(part)
    finally:
        wait(others)
    for other in others:
        other.result()


def _begun(work: Callable[[slice], None], part: slice) -> Future[None] | None:
    """Work that another thread has begun; ``None`` where none can: Python is about to exit."""
    try:
        return _pool().submit(work, part)
    except RuntimeError:
        return None


def _parts(positions: Integers) -> list[slice]:
    """Slices of about the same number of positions, one for each core at most."""
    ends = np.cumsum(positions)
    many = min(allowed(), max(int(ends[-1]) // WORTH_A_THREAD, 1)) if len(ends) else 0
    shares = ends[-1] * np.arange(1, many) // many if many else []
    edges = [0, *(np.searchsorted(ends, shares) + 1).tolist(), len(ends)] if many else []
    return [slice(begin, end) for begin, end in zip(edges, edges[1:], strict=False) if end > begin]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(allowed() - 1, 1), thread_name_prefix="r3mem")


in_children(_pool.cache_clear)
