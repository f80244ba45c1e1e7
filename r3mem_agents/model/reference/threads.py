"""How many threads compute: no more than there are idle cores.

Threads of one operator wait for each other at its end, and libgomp, PyTorch's on Linux, waits by
spinning. Where other work has one of the cores, or a container may use fewer than it sees, that
wait is long: five turns took 245 instead of 49 ms beside a process that keeps one of two cores
busy, and take 62 with one thread (docs/LOG.md, "as many threads as idle cores"). No result depends
on the number (``exact``).

In the child of a fork one thread computes. The others that libgomp remembers are the parent's, and
it would wait for them for ever.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from r3mem_agents.forking import Lock, in_children
from r3mem_agents.model.cores import allowed

_STILL_SPINNING_S = 0.01
"""Threads that have waited no longer than this may still be spinning: they are no other work."""


class Cores:
    """The machine's cores, and what of them is idle.

    PyTorch's number of threads belongs to the process and to each thread of it, so the calls under
    way share one record of what the process had before them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._together = False
        self._forked = False
        in_children(self._renew)
        self._calls = 0
        self._wanted = 1
        self._last_together = -_STILL_SPINNING_S
        self._most = allowed()
        try:
            self._load: int | None = os.open("/proc/loadavg", os.O_RDONLY)
        except OSError:  # not Linux, where threads wait in other ways
            self._load = None

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Compute with as many threads as there are idle cores, one at least, within this block.

        Afterwards PyTorch's number of threads is what it was. A thread of the host that uses
        PyTorch for the very first time meanwhile may start with fewer.
        """
        with self._lock:
            if not self._calls:
                self._wanted = torch.get_num_threads()
            self._calls += 1
        try:
            self._set()
            yield
        finally:
            self._note()
            with self._lock:
                self._calls -= 1
                if torch.get_num_threads() != self._wanted:
                    torch.set_num_threads(self._wanted)

    def fit(self) -> None:
        """Look again, within ``shared``: what else runs may have changed. Takes 0.02 ms."""
        self._note()
        self._set()

    def _set(self) -> None:
        threads = torch.get_num_threads()
        if self._forked:
            fitting = 1
        elif self._load is None:
            fitting = threads
        else:
            fitting = max(min(self._wanted, self._most, self._idle(self._load)), 1)
        if fitting != threads:
            torch.set_num_threads(fitting)
        self._together |= fitting > 1

    def _renew(self) -> None:
        # In the child of a fork. If the parent computed with several threads for us, the host's own
        # products in the child would wait for them as well.
        self._forked, self._calls = True, 0
        if self._together:
            torch.set_num_threads(1)

    def _note(self) -> None:
        if torch.get_num_threads() > 1:
            self._last_together = time.monotonic()

    def _idle(self, load: int) -> int:
        """Cores that nothing but this thread and those that wait for it want."""
        running = int(os.pread(load, 64, 0).split()[3].split(b"/")[0]) - 1
        if time.monotonic() - self._last_together < _STILL_SPINNING_S:
            running -= self._wanted - 1
        return (os.cpu_count() or 1) - max(running, 0)


CORES = Cores()
"""The one record of this process."""
