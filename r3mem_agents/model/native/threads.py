"""Work on all cores: the calls of the engine let other threads run, so each core takes a part.

Rows are dealt out to as many parts as there are cores. Where one part would take far longer, as
with a single text, a team shares the positions of one call instead (``engine/team.c``). No thread
waits by spinning, and no result depends on their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache, partial
from heapq import heapreplace

import numpy as np

from r3mem_agents.forking import in_children
from r3mem_agents.model.cores import allowed
from r3mem_agents.model.native.library import Library
from r3mem_agents.model.predictions import Integers

Work = Callable[[Integers, int | None], None]
"""Called with ascending rows, once for each part, and with the team to do them with, if any."""

WORTH_A_THREAD = 16
"""Positions that a thread takes at least: they take 1 to 2 ms, it 0.1 to begin; chosen."""

EVEN = 1.25
"""How much longer than the mean a part may be, as a team's steps cost as much; chosen."""


def in_parts(engine: Library, work: Work, positions: Integers, steps: int = 1) -> None:
    """Do work on rows with as many threads as there are cores.

    Args:
        engine: The library that does it.
        work: Not called if there is no row.
        positions: ``(rows,)``, how much work each row is.
        steps: In which a row is done, one after the other.
    """
    total = int(positions.sum())
    threads = min(allowed(), total // WORTH_A_THREAD)
    parts = _parts(positions, threads)
    longest = max((int(positions[part].sum()) for part in parts), default=0)
    shared = min(threads, total // (WORTH_A_THREAD * steps))
    if shared > 1 and longest * threads > EVEN * total:
        with _team(engine, shared) as team:
            work(np.arange(len(positions)), team)
    else:
        _each(lambda part: work(part, None), parts)


def _each(work: Callable[[Integers], None], parts: list[Integers]) -> None:
    others = [begun for part in parts[1:] if (begun := _begun(partial(work, part)))]
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


@contextmanager
def _team(engine: Library, threads: int) -> Iterator[int | None]:
    """A team for the calls of a block; ``None`` where there is no memory for one."""
    made = engine.calls.r3_team_new(threads)
    if made is None:
        yield None
        return
    helped = [_begun(partial(engine.calls.r3_team_help, made)) for _ in range(threads - 1)]
    try:
        yield made
    finally:
        engine.calls.r3_team_dismiss(made)
        wait([helping for helping in helped if helping and not helping.cancel()])
        engine.calls.r3_team_free(made)


def _begun(work: Callable[[], None]) -> Future[None] | None:
    """Work for another thread; ``None`` where none can begin: Python is about to exit."""
    try:
        return _pool().submit(work)
    except RuntimeError:
        return None


def _parts(positions: Integers, threads: int) -> list[Integers]:
    """The rows in parts of about the same number of positions, one for each thread at most.

    Each row goes to the part with the least, the longest row first: one long turn among five takes
    a core, and the four others the second one.
    """
    many = min(threads, len(positions))
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
