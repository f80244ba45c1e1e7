"""When the bytes of deleted rows leave the file.

Every transaction that deletes marks the file as unscrubbed, so that nothing is forgotten about it:
whoever opens a marked file scrubs it. Else it is scrubbed at once where a caller waits for it, and
for all others together a while later, or when the store is closed. What has expired is deleted
then, too.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress

from r3mem_agents.errors import StoreCorruptError, StoreError, StoreUnavailableError
from r3mem_agents.store import sqlite
from r3mem_agents.store.connections import Connections
from r3mem_agents.store.failures import explained
from r3mem_agents.store.removing import remove_all_expired
from r3mem_agents.store.rows import the_one
from r3mem_agents.timestamps import now_us
from r3mem_agents.types import IN_MEMORY

logger = logging.getLogger(__name__)

SCRUB_AFTER_S = 10.0
"""How long deleted bytes may stay in an open file for nobody waits; chosen, so that a host that
deletes all the time does not rewrite the file all the time."""

MIN_REST = 20
"""A large file rests so many times as long as it took to rewrite it; chosen."""


class Scrubber:
    """Scrubs one database. Safe to use from several threads."""

    def __init__(self, database: Connections, name: str) -> None:
        self._database = database
        self._name = name
        self._rest_s = SCRUB_AFTER_S
        self._owed = False
        self._closed = False
        self._timer: threading.Timer | None = None
        self._timing = threading.Lock()
        self._line = database.writers.line
        self._begun = 0
        self._ended: tuple[int, str | None] = (0, None)  # the last scrub, and what stood in its way

    def soon(self) -> None:
        """Scrub a while after the first such call, all that was deleted until then at once."""
        with self._timing:
            if self._owed or self._closed or self._name == IN_MEMORY:
                return
            self._owed = True
            self._timer = threading.Timer(self._rest_s, self._pay)
            self._timer.daemon = True
            with suppress(RuntimeError):  # no thread starts when Python ends; close() does it then
                self._timer.start()

    def now(self) -> str | None:
        """Scrub if the file is marked; returns what stood in the way, and tries again soon then.

        One scrub does for all who wait for it when it begins. The rows themselves are gone already,
        so an obstacle is no error, and it must not keep a file from being opened.
        """
        begun = self._begun
        done = False
        try:
            with self._line():
                number, obstacle = self._ended
                if number <= begun:
                    obstacle = self._attempt()
            done = obstacle is None
        except StoreCorruptError as error:  # it stays so: whoever opens it next tries again
            done = True
            obstacle = str(error.__cause__)
        finally:
            if not done:  # an interrupt too
                self.soon()
        return obstacle

    def close(self) -> None:
        """Do now what would be done soon."""
        with self._timing:
            self._closed = True
        self._pay()

    def _pay(self) -> None:
        # For nobody who waits.
        with self._line():  # it may be going on in the background
            if not self._owed:
                return
            try:
                obstacle = self.now()
            except StoreError as error:
                obstacle = str(error)
        if obstacle:
            logger.warning("traces of deleted turns are left in %s (%s)", self._name, obstacle)

    def _attempt(self) -> str | None:
        self._begun = number = self._begun + 1
        with self._timing:
            self._owed = False
            if self._timer is not None:
                self._timer.cancel()
        started = time.monotonic()
        try:
            obstacle = self._scrub()
        except StoreUnavailableError as error:
            obstacle = str(error.__cause__)
        finally:
            self._rest_s = max(SCRUB_AFTER_S, MIN_REST * (time.monotonic() - started))
        self._ended = number, obstacle
        return obstacle

    def _scrub(self) -> str | None:
        with explained(self._name):
            with self._database.writing() as connection:
                remove_all_expired(connection, now_us())
                marks = the_one(connection.execute("SELECT unscrubbed FROM meta"))
            if not marks[0]:
                return None
            if not sqlite.scrub(self._database):
                return "another program is reading it"
            with self._database.writing() as connection:  # unless somebody deleted more meanwhile
                connection.execute("UPDATE meta SET unscrubbed = 0 WHERE unscrubbed = ?", marks)
        return None
