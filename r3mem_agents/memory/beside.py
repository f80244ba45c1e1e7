"""Python's work beside that of the model, whose passes let other threads run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from r3mem_agents.forking import in_children

R = TypeVar("R")


def beside(work: Callable[[], R]) -> Callable[[], R]:
    """Begin work in another thread.

    Returns:
        What waits for the work, and returns or raises what that does.
    """
    try:
        return _pool().submit(work).result
    except RuntimeError:  # no thread can begin any more: Python is about to exit
        return work


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="r3mem-beside")


in_children(_pool.cache_clear)
