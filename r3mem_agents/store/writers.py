"""Those who write to one file in this process, one at a time."""

from __future__ import annotations

import os
import time
from weakref import WeakValueDictionary

from r3mem_agents.forking import Line, Lock
from r3mem_agents.store.places import Place


class Writers:
    """Those who write to one file, served in the order in which they came.

    SQLite lets each of them look again from time to time whether the file is free, so that among
    many one may wait for ever. Only the first in line asks SQLite, which tells other processes.

    Attributes:
        line: In which they stand. It comes before any lock of SQLite's, and before ``unforked``.
        moved: When the last of them was done, on the monotonic clock.
    """

    def __init__(self) -> None:
        self.line = Line()
        self.moved = time.monotonic()


_of_files: WeakValueDictionary[str, Writers] = WeakValueDictionary()
_finding = Lock()


def writers_of(place: Place) -> Writers:
    """Those who write to a database: the same for all who open it in this process."""
    if place.in_memory:
        return Writers()
    with _finding:
        return _of_files.setdefault(os.path.realpath(place.path), Writers())
