"""Work in parts: the calls of the engine let other threads run, so each core may take one.

No thread waits by spinning, and no result depends on their number.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from heapq import heapreplace

import numpy as np

from r3mem_agents.forking import in_children
from r3mem_agents.model.cores import allowed
from r3mem_agents.model.predictions import Integers

Work = Callable[[Integers], None]

WORTH_A_THREAD = 24
"""Positions of a part on average at least: a thread takes 0.1 ms to begin, they take 1 to 4 ms;
chosen."""


def in_parts(work: Work, positions: Integers) -> None:
    """Do work on rows, in as many parts at once as there are cores.

    Args:
        work: Called with ascending rows, once for each part; not at all if there is no row.
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


def within(begin: Integers, rows: Integers) -> Integers:
    """The elements of some rows, where those of all rows stand one after the other.

    Args:
        begin: ``(all rows + 1,)``, where each row begins, and where the last one ends.
        rows: Some of them.
    """
    first, many = begin[rows], begin[rows + 1] - begin[rows]
    return np.repeat(first + many - np.cumsum(many), many) + np.arange(many.sum())


def _begun(work: Work, part: Integers) -> Future[None] | None:
    """Work that another thread has begun; ``None`` where none can: Python is about to exit."""
    try:
        return _pool().submit(work, part)
    except RuntimeError:
        return None


def _parts(positions: Integers) -> list[Integers]:
    """The rows in parts of about the same number of positions, one for each core at most.

    Each row goes to the part with the least, the longest row first: one long turn among five takes
    a core, and the four others the second one.
    """
    many = min(allowed(), len(positions), int(positions.sum()) // WORTH_A_THREAD)
    if many < 2:  # noqa: PLR2004 - no other part
        return [np.arange(len(positions))] if len(positions) else []
    parts = [(0, number, list[int]()) for number in range(many)]
    longest = np.argsort(-positions, kind="stable")
    for row, size in zip(longest.tolist(), positions[longest].tolist(), strict=True):
        taken, number, rows = parts[0]
        rows.append(row)
        heapreplace(parts, (taken + size, number, rows))
    return [np.sort(rows) for _, _, rows in parts]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(allowed() - 1, 1), thread_name_prefix="r3mem")


in_children(_pool.cache_clear)
