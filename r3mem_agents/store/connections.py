"""Connections to a database: set up alike, shared by threads, left alone by children of a fork."""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.forking import Lock, in_children, unforked
from r3mem_agents.store.places import Place
from r3mem_agents.store.waiting import execute_once_free
from r3mem_agents.store.writers import writers_of

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another program."""

KEPT = 5
"""Idle connections that are kept; chosen: more threads than that seldom work at once."""


class BusyError(sqlite3.OperationalError):
    """Another thread has the only connection of a database in memory."""

    sqlite_errorcode = sqlite3.SQLITE_BUSY


Idle = queue.LifoQueue[sqlite3.Connection]

_open: WeakSet[Connections] = WeakSet()

_parents: list[sqlite3.Connection] = []
"""Idle connections of the process that this one was forked from."""

_parting = Lock()


class Connections:
    """Connections to one database. Safe to use from several threads.

    Attributes:
        writers: Those who write to it in this process.
    """

    def __init__(self, place: Place) -> None:
        """Say where; nothing is opened yet, but for a database in memory."""
        self._place = place = place.absolute()
        self.writers = writers_of(place)
        self._closed = False
        self._idle = Idle()
        if place.in_memory:  # it is its one connection, so threads take turns on it
            self._idle.put(connect(place))
        _open.add(self)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that reads, as of one moment."""
        with self.bare() as connection:
            connection.execute("BEGIN")
            yield connection
            connection.commit()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes: all that is done in it, or nothing if an exception ends it.

        It waits for other writers at its beginning: one that only turns into a write later can fail
        instead of waiting.
        """
        came = time.monotonic()
        with self.writers.line(), self.bare() as connection:
            since = max(came, self.writers.moved)
            execute_once_free(connection, "BEGIN IMMEDIATE", since + BUSY_TIMEOUT_S)
            try:
                yield connection
                connection.commit()
            finally:
                self.writers.moved = time.monotonic()

    @contextmanager
    def bare(self) -> Iterator[sqlite3.Connection]:
        """A connection outside of any transaction, where VACUUM and some pragmas want to be."""
        idle = self._idle  # a child of a fork has another
        with unforked():
            connection = self._take(idle)
            try:
                yield connection
            finally:
                self._give_back(connection, idle)

    def _take(self, idle: Idle) -> sqlite3.Connection:
        if self._place.in_memory:
            try:
                return idle.get(timeout=BUSY_TIMEOUT_S)
            except queue.Empty:
                raise BusyError("another thread has the database in memory") from None
        try:
            return idle.get_nowait()
        except queue.Empty:
            return connect(self._place)

    def _give_back(self, connection: sqlite3.Connection, idle: Idle) -> None:
        try:
            connection.rollback()  # what an exception left unfinished, if anything
        finally:
            if connection.in_transaction or idle.qsize() >= KEPT:
                connection.close()
            else:
                idle.put(connection)
            if self._closed:
                self.close()

    def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._closed = True
        with unforked():
            while True:
                try:
                    self._idle.get_nowait().close()
                except queue.Empty:
                    return

    def leave(self) -> None:
        """Begin anew in the child of a fork; what is in memory is a copy of its own."""
        if not self._place.in_memory:
            _parents.extend(self._idle.queue)
            self._idle = Idle()


def _leave_parents() -> None:
    for database in list(_open):
        database.leave()


in_children(_leave_parents)


def connect(place: Place) -> sqlite3.Connection:
    """Open one that is set up for exact, scrubbable, concurrent storage."""
    with _parting:
        # SQLite believes that the process still has the parent's locks, until all that is idle is
        # closed: it would not ask for its own, and another process take the log from under it.
        while _parents:
            _parents.pop().close()
    try:
        connection = sqlite3.connect(
            place.target,
            uri=place.is_uri,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,  # the driver must not begin transactions
            check_same_thread=False,
        )
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise InvalidInputError(f"{place.target!r} is no URI of SQLite's: {error}") from error
    try:
        connection.text_factory = _text
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _text(value: bytes) -> str:
    # Damage makes text of bytes: what it spells must not keep other rows from being read.
    return value.decode(errors="replace")
