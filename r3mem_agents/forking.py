"""Fork safety: locks and caches that work in the child of a fork.

The parent's other threads do not exist in the child: a lock that one of them held would stay locked
for ever, and what one of them was changing would stay half changed.

Before a fork its hooks run in the reverse order of their registration. Those of the standard
library that take a lock which work in progress may want are registered here first, so that a fork
waits for the work before it takes such a lock.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  registers a hook that takes the lock of its pools
import logging  # noqa: F401  registers a hook that takes the lock of its handlers
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
        """Replace the lock by one that nobody holds."""
        self._lock = threading.Lock()


UNCALLED_S = 1.0
"""How long somebody may be first before noticing, if an interrupt kept the one before from saying
so; chosen."""


@dataclass(slots=True, eq=False)
class _InLine:
    thread: int = field(default_factory=threading.get_ident)
    called: threading.Event = field(default_factory=threading.Event)


class Line:
    """A lock that serves threads in the order in which they came for it.

    A thread that stands in line already is let through: it has its turn, or it is a finalizer's or
    a signal's, which may come at any moment and could not wait behind itself. Nobody stands in line
    in the child of a fork.
    """

    def __init__(self) -> None:
        self.renew()
        _locks.add(self)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold it until this block ends."""
        line, mine = self._line, _InLine()  # a child of a fork has another line
        if any(one.thread == mine.thread for one in line.copy()):
            yield
            return
        try:
            line.append(mine)
            while line[0] is not mine:
                mine.called.wait(UNCALLED_S)
            yield
        finally:
            try:
                line.remove(mine)  # at once, so that no interrupt comes before it
                line[0].called.set()
            except (ValueError, IndexError):  # it did not stand in line yet, or nobody waits
                pass

    def renew(self) -> None:
        """Replace the line by one in which nobody stands."""
        self._line = deque[_InLine]()


_locks: WeakSet[Lock | Line] = WeakSet()


def in_children(renew: Callable[[], None]) -> None:
    """Call ``renew`` in every child of a fork, before anything else runs there."""
    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(after_in_child=renew)


def _renew_locks() -> None:
    for lock in list(_locks):
        lock.renew()


in_children(_renew_locks)


PATIENCE_S = 30.0
"""Longest time that a fork waits for work in progress; chosen."""


class _Going:
    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.calls: dict[object, int] = {}  # each with its thread
        self.forks = 0


class Unforked:
    """Work that a fork waits for, because it uses libraries whose locks a child cannot renew.

    SQLite, tokenizers, dateparser and PyTorch's kernels have such locks. The child of a fork made
    while one is held would wait for it for ever.
    """

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._wait, after_in_parent=self._go_on, after_in_child=self._renew
            )

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Make forks in other threads wait until this block ends, for ``PATIENCE_S`` at most."""
        going, call, thread = self._going, object(), threading.get_ident()
        # An interrupt may come between any two lines: calls are told apart, and not counted.
        try:
            with going.changed:
                going.changed.wait_for(lambda: not going.forks or thread in going.calls.values())
                going.calls[call] = thread
            yield
        finally:
            going.calls.pop(call, None)
            with going.changed:
                going.changed.notify_all()

    def _renew(self) -> None:
        self._going = _Going()

    def _wait(self) -> None:
        going = self._going
        with going.changed:
            going.forks += 1
            own = {threading.get_ident()}
            going.changed.wait_for(lambda: {*going.calls.values()} <= own, PATIENCE_S)

    def _go_on(self) -> None:
        with self._going.changed:
            self._going.forks -= 1
            self._going.changed.notify_all()


unforked = Unforked()
"""The one instance of this process."""
