"""The write-ahead log goes into the file when nobody writes, so that a copy of it is whole."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress

from r3mem_agents.store import sqlite
from r3mem_agents.store.connections import Connections

IDLE_S = 1.0
"""After so long without a write the log is copied into the file; chosen."""


class IdleCheckpoint:
    """Waits in a thread of its own, from a write until the log is in the file."""

    def __init__(self, database: Connections) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._last = 0.0

    def written(self) -> None:
        """Note that something was written just now."""
        with self._lock:
            self._last = time.monotonic()
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._wait, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Copy the log into the file now, if that is still to be done, and wait no more."""
        self._stopped.set()
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _wait(self) -> None:
        while True:
            while (left := self._last + IDLE_S - time.monotonic()) > 0:
                if self._stopped.wait(left):
                    break
            seen = self._last
            # What cannot be done now stays in the log, where it is just as safe.
            with suppress(sqlite3.Error):
                sqlite.checkpoint(self._database)
            with self._lock:
                if self._last == seen or self._stopped.is_set():
                    self._thread = None
                    return
