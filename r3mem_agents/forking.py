"""What a child of a fork must not inherit from the parent's other threads: they do not exist there.

A lock that one of them held would stay locked for ever, and what one of them was changing would
stay half changed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from weakref import WeakSet


class Lock:
    """A lock that nobody holds in the child of a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Make it a lock that nobody holds."""
        self._lock = threading.Lock()


_locks: WeakSet[Lock] = WeakSet()


def in_children(renew: Callable[[], None]) -> None:
    """Call something in every child of a fork, before anything else happens there."""
    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(after_in_child=renew)


def _renew_locks() -> None:
    for lock in list(_locks):
        lock.renew()


in_children(_renew_locks)
