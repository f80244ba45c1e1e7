"""What is done with a database as a whole: it is signed, scrubbed, measured, copied, checked."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.store import connections
from r3mem_agents.store.connections import Connections
from r3mem_agents.store.failures import is_busy, is_unwritable
from r3mem_agents.store.places import Place
from r3mem_agents.store.rows import the_one
from r3mem_agents.store.waiting import execute_once_free, patience

APPLICATION_ID = 0x52334D65
"""``R3Me`` in the header of every file of ours."""

READER_TIMEOUT_S = 5.0
"""How long a scrub waits for a reader that stays in its transaction; chosen: lookups take less."""

PAGE_BYTES = 2048
"""Chosen: half of SQLite's own, since a small memory is a dozen pages that are hardly filled."""

MAX_SKIPPED_IDS = 2**24
"""Chosen: far more than the turns of a memory, so that these do not show in the sum."""


def is_ours(connection: sqlite3.Connection, name: str) -> bool:
    """Tell a file of ours from a new one.

    Raises:
        StoreCorruptError: If it is neither.
    """
    [mark] = the_one(connection.execute("PRAGMA application_id"))
    if mark == APPLICATION_ID:
        return True
    if mark or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreCorruptError(
            f"{name} is a database of another program; give another path (it was left as it is)"
        )
    return False


def mark_as_ours(connection: sqlite3.Connection) -> None:
    """Sign the file inside the transaction that creates its tables."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def begin_file(database: Connections) -> None:
    """Choose what is kept in the file from then on: its pages, and a write-ahead log.

    With that readers and a writer work at once.
    """
    deadline = time.monotonic() + connections.BUSY_TIMEOUT_S
    with database.bare() as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # SQLite does not wait here by itself when two programs create the same file.
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def scrub(database: Connections) -> bool:
    """Rewrite the file so that nothing of deleted rows is left in it or in its log.

    ``secure_delete`` zeroes what is deleted, but not the copies of a row that a B-tree leaves
    behind when it moves rows between pages (found by a test: some of 600 deleted rows could still
    be read); so the whole file is rewritten.

    Returns:
        False if another reader kept the write-ahead log from being emptied.
    """
    with database.bare() as connection:
        execute_once_free(connection, "VACUUM", time.monotonic() + connections.BUSY_TIMEOUT_S)
        deadline = time.monotonic() + READER_TIMEOUT_S
        with patience(connection, READER_TIMEOUT_S):
            while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                # SQLite waits for readers here, but not for another one that empties the log.
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.01)
    return True


def skip_ids(connection: sqlite3.Connection) -> None:
    """Raise the counters of row ids by chance, so that they do not tell how many rows there were.

    They only grow: an id is never given twice.
    """
    connection.execute(
        f"UPDATE sqlite_sequence SET seq = seq + 1 + abs(random() % {MAX_SKIPPED_IDS})"
    )


class HeldFile(NamedTuple):
    """A file that a database has open.

    Attributes:
        path: Where it was when it was opened.
        device: Of the system, on which it lies.
        inode: Tells it from others there.
    """

    path: str
    device: int
    inode: int

    def is_there(self) -> bool:
        """Whether it is still where it was, and no other one is."""
        try:
            found = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # which SQLite will meet, and tell
            return True
        return (found.st_dev, found.st_ino) == (self.device, self.inode)


def held_file(database: Connections) -> HeldFile | None:
    """The file of a database; ``None`` if it lives in memory."""
    with database.bare() as connection:
        path = _path(connection)
    try:
        found = os.stat(path)
    except OSError:
        return None
    return HeldFile(path, found.st_dev, found.st_ino)


def file_bytes(database: Connections) -> int:
    """Size of the database file and its write-ahead log; 0 for a database in memory.

    The log is emptied into the file first, unless somebody reads: until then pages count twice.
    """
    checkpoint(database)
    with database.bare() as connection:
        path = _path(connection)
    if not path:
        return 0
    parts = (Path(path), Path(f"{path}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def file_hash(database: Connections) -> str | None:
    """SHA-256 of what the file is with its write-ahead log emptied into it, in hexadecimal.

    SQLite reads the bytes: to close a file that something else has opened would take all locks of
    this process off it. In a transaction that reads, they are those of one moment, whoever writes.

    Returns:
        ``None`` without a file, or where SQLite is older than 3.36.
    """
    with database.reading() as connection:
        if not _path(connection) or not hasattr(connection, "serialize"):
            return None
        the_one(connection.execute("SELECT count(*) FROM sqlite_master"))  # the moment
        digest = hashlib.sha256(connection.serialize()).hexdigest()
    checkpoint(database)
    return digest


def _path(connection: sqlite3.Connection) -> str:
    # Empty for a database in memory.
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


def checkpoint(database: Connections) -> None:
    """Copy what is in the write-ahead log into the file, if that can be done without waiting."""
    with database.bare() as connection, patience(connection, 0):
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            if not is_unwritable(error):
                raise


def copy_to(
    database: Connections, target: Path, tidy: Callable[[sqlite3.Connection], bool]
) -> None:
    """Write a whole, compact copy of the database, as of one moment, without deleted rows.

    It has its name only when it is complete.

    Args:
        database: What is copied.
        target: The path of the copy.
        tidy: Deletes from the copy what should not be in it, and says whether anything was.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with database.bare() as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        with closing(connections.connect(Place(str(part)))) as copy:
            if tidy(copy):
                copy.execute("VACUUM")
            copy.execute("PRAGMA journal_mode = WAL")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def problems(connection: sqlite3.Connection) -> list[str]:
    """What SQLite itself finds wrong: with its pages, its indexes, and rows that refer to none."""
    found = [
        f"the file is not sound: {message}"
        for (message,) in connection.execute("PRAGMA integrity_check")
        if message != "ok"
    ]
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        if row is not None:  # marks have no numbers, and are looked at on their own
            found.append(f"row {row} of {table}: what it refers to in {parent} is not there")
    return found
