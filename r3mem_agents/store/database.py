"""An open database: its transactions, what looks after it as a whole, and its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from r3mem_agents.errors import StoreUnavailableError
from r3mem_agents.forking import unforked
from r3mem_agents.store import places, sqlite
from r3mem_agents.store.idling import IdleCheckpoint
from r3mem_agents.store.membership import block_problems
from r3mem_agents.store.opening import open_database
from r3mem_agents.store.reading import unused_names
from r3mem_agents.store.scrubbing import Scrubber
from r3mem_agents.types import IN_MEMORY


class Database:
    """What a store works on.

    Safe to use from several threads; other processes may use the file too.

    Attributes:
        name: The database, as messages call it.
        location: Opens the same database again: an absolute path, or the URL that was given.
        secret: Of this database, for keyed hashes of names and terms.
    """

    def __init__(self, where: str | os.PathLike[str], rules: bytes = b"") -> None:
        """Open a database, or create it where there is none.

        On a disk that is full or read-only a database can still be read.

        Args:
            where: A path or an SQLAlchemy URL of an SQLite database.
            rules: Digest of the rules by which terms are made.

        Raises:
            InvalidInputError: If ``where`` is neither.
            StoreUnavailableError: If it cannot be opened or created.
            StoreCorruptError: If it is damaged, or the file of another program.
            FormatError: If another version of this package wrote it.
        """
        url = places.locate(where)
        self.name = url.database or IN_MEMORY
        self.location = places.location(where)
        self._rules = rules
        self._process = os.getpid()
        self._closed = False
        with unforked():
            self._engine, self._writer, header, self._obstacle = open_database(url, self.name)
        self.secret = header.secret
        self._idle = IdleCheckpoint(self._engine)
        self._scrubber = self._new_scrubber()
        if header.unscrubbed and not self._obstacle:
            try:  # a process was killed between deleting and scrubbing
                self._scrubber.now()
            except BaseException:
                self._engine.dispose()
                raise

    def _new_scrubber(self) -> Scrubber:
        return Scrubber(self._engine, self._writer, self.name)

    def ready(self) -> None:
        """Make sure that the database can be used by this process.

        Raises:
            StoreUnavailableError: If it was closed.
        """
        if self._closed:
            raise StoreUnavailableError(f"the memory on {self.name} is closed; open it again")
        if os.getpid() != self._process:
            # After a fork the parent's connections must be neither used nor closed by the child.
            self._engine.dispose(close=False)
            self._scrubber = self._new_scrubber()  # the parent does what it has to do
            self._process = os.getpid()
            self._idle = IdleCheckpoint(self._engine)

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        self.ready()
        if self._obstacle and engine is self._writer:
            raise StoreUnavailableError(
                f"{self.name} can only be read, since it could not be opened otherwise: "
                f"{self._obstacle}, and open it again"
            )
        with unforked(), sqlite.explained(self.name), engine.begin() as connection:
            yield connection
        if engine is self._writer:
            self._idle.written()

    def problems(self) -> list[str]:
        """What is wrong with the file, its rows apart: nothing, if all is well."""
        with self._transaction(self._engine) as connection:
            found = sqlite.problems(connection) + unused_names(connection)
            return found + [*block_problems(connection)]

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a copy of the database, as of one moment, while it is in use.

        Args:
            path: Where no file is yet.

        Raises:
            InvalidInputError: If it is no path, or a file is there.
            StoreUnavailableError: If it cannot be written; then nothing is there.
        """
        self.ready()
        target = places.free_path(path)
        with sqlite.explained(f"{self.name} or its copy {target}"):
            sqlite.copy_to(self._engine, target)

    def file_bytes(self) -> int:
        """Size of the database with its write-ahead log; 0 if it lives in memory."""
        self.ready()
        with sqlite.explained(self.name):
            return sqlite.file_bytes(self._engine)

    def close(self) -> None:
        """Let go of the file, with all that was written in it; a second call does nothing."""
        if not self._closed and os.getpid() == self._process:
            self._scrubber.close()
        self._closed = True
        if os.getpid() == self._process:
            self._idle.stop()
            self._engine.dispose()
        else:  # after a fork: the connections are the parent's
            self._engine.dispose(close=False)
