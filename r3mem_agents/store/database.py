"""An open database: its transactions, what looks after it as a whole, and its end."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from r3mem_agents.errors import ReadOnlyError, StoreUnavailableError
from r3mem_agents.store import places, sqlite
from r3mem_agents.store.failures import explained
from r3mem_agents.store.idling import IdleCheckpoint
from r3mem_agents.store.log import log_problems
from r3mem_agents.store.marks import mark_problems, scopes_with_expired
from r3mem_agents.store.membership import block_problems
from r3mem_agents.store.opening import open_database
from r3mem_agents.store.reading import unused_names
from r3mem_agents.store.removing import remove_all_expired
from r3mem_agents.store.scrubbing import Scrubber
from r3mem_agents.timestamps import now_us


class Database:
    """What a store works on.

    Safe to use from several threads; other processes may use the file too.

    Attributes:
        name: The database, as messages call it.
        location: Opens the same database again: an absolute path, or the URL that was given.
        secret: Of this database, for keyed hashes of names and terms.
    """

    def __init__(
        self, where: str | os.PathLike[str], rules: bytes = b"", *, read_only: bool = False
    ) -> None:
        """Open a database, or create it where there is none.

        On a disk that is full or read-only a database can still be read.

        Args:
            where: A path or a sqlite:/// URL.
            rules: Digest of the rules by which terms are made.
            read_only: Write nothing to the file, and beside it only what SQLite needs for reading.

        Raises:
            InvalidInputError: If ``where`` is neither.
            NotFoundError: If there is no database, and it may only be read.
            StoreUnavailableError: If it cannot be opened or created.
            StoreCorruptError: If it is damaged, or the file of another program.
            FormatError: If another version of this package wrote it.
        """
        place = places.locate(where)
        self.name = place.name
        self.location = places.location(where)
        self._rules = rules
        self._process = os.getpid()
        self._closed = False
        self._read_only = read_only
        self._connections, header, self._obstacle = open_database(
            place, self.name, read_only=read_only
        )
        self.secret = header.secret
        self._file = sqlite.held_file(self._connections)
        self._idle = IdleCheckpoint(self._connections)
        self._scrubber = self._new_scrubber()
        if self._writable:
            try:
                self._leave_nothing(header.unscrubbed)
            except BaseException:
                self._connections.close()
                raise

    @property
    def _writable(self) -> bool:
        return not self._obstacle and not self._read_only

    def _leave_nothing(self, unscrubbed: bool) -> None:
        if unscrubbed:  # a process was killed between deleting and scrubbing
            self._scrubber.now()
        else:
            with self._reading() as connection:
                expired = scopes_with_expired(connection, now_us())
            if expired:
                self._scrubber.soon()

    def _new_scrubber(self) -> Scrubber:
        return Scrubber(self._connections, self.name)

    def ready(self) -> None:
        """Make sure that the database can be used by this process.

        Raises:
            StoreUnavailableError: If it was closed, or its file is gone.
        """
        if self._closed:
            raise StoreUnavailableError(f"the memory on {self.name} is closed; open it again")
        if self._file and not self._file.is_there():
            raise StoreUnavailableError(
                f"{self.name} was removed or replaced while it was open, so that what is written "
                "would be lost; nothing was changed; close it and open it again"
            )
        if os.getpid() != self._process:
            self._scrubber = self._new_scrubber()  # the parent does what it has to do
            self._process = os.getpid()
            self._idle = IdleCheckpoint(self._connections)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        self.ready()
        with explained(self.name), self._connections.reading() as connection:
            yield connection

    def check_writable(self, what: str = "") -> None:
        """Make sure that something may be written.

        Args:
            what: Begins the message where nothing may be, if a caller did not ask for a write.

        Raises:
            ReadOnlyError: If the database was opened to be read only.
            StoreUnavailableError: If it was closed, or could only be opened to be read.
        """
        self.ready()
        if self._read_only:
            raise ReadOnlyError(
                f"{what} {self.name} was opened with read_only=True, and nothing was changed; open "
                "it without that".lstrip()
            )
        if self._obstacle:
            raise StoreUnavailableError(
                f"{what} {self.name} can only be read, since it could not be opened otherwise: "
                f"{self._obstacle}, and open it again".lstrip()
            )

    def _scrubbed(self, done: str, what: str) -> None:
        """Remove what is left of deleted rows in unused parts of the file, without delay.

        Args:
            done: Begins the message where that fails.
            what: Stands in it for that of which traces are left.

        Raises:
            StoreUnavailableError: If another program prevents it.
        """
        if obstacle := self._scrubber.now():
            raise StoreUnavailableError(
                f"{done}, but traces of {what} are left in {self.name} ({obstacle}); they are "
                "removed once that is over, or when the file is opened next"
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self.check_writable()
        with explained(self.name), self._connections.writing() as connection:
            yield connection
        self._idle.written()

    def problems(self) -> list[str]:
        """What is wrong with the file, its rows apart: nothing, if all is well."""
        with self._reading() as connection:
            found = sqlite.problems(connection) + unused_names(connection)
            return found + [
                *block_problems(connection),
                *mark_problems(connection),
                *log_problems(connection),
            ]

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
        with explained(f"{self.name} or its copy {target}"):
            sqlite.copy_to(self._connections, target, _without_expired)

    def file_bytes(self) -> int:
        """Size of the database with its write-ahead log; 0 if it lives in memory."""
        self.ready()
        with explained(self.name):
            return sqlite.file_bytes(self._connections)

    def file_hash(self) -> str | None:
        """SHA-256 of the database as of one moment, as its file is until somebody writes again.

        Returns:
            ``None`` if it lives in memory, or SQLite is older than 3.36.
        """
        self.ready()
        with explained(self.name):
            return sqlite.file_hash(self._connections)

    def close(self) -> None:
        """Let go of the file, with all that was written in it; a second call does nothing."""
        if not self._closed and os.getpid() == self._process:
            self._scrubber.close()
        self._closed = True
        if os.getpid() == self._process:  # after a fork that is up to the parent
            self._idle.stop()
        self._connections.close()


def _without_expired(copy: sqlite3.Connection) -> bool:
    # The memory itself may only be read.
    now = now_us()
    if not scopes_with_expired(copy, now):
        return False
    copy.execute("BEGIN IMMEDIATE")
    remove_all_expired(copy, now)
    copy.commit()
    return True
