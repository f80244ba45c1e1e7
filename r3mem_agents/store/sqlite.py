"""Everything that is particular to SQLite: pragmas, locks, scrubbing, what its errors mean.

Where its files are, ``places`` says.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import MultipleResultsFound, NoResultFound, SQLAlchemyError

from r3mem_agents.errors import StoreCorruptError, StoreError, StoreUnavailableError
from r3mem_agents.forking import unforked
from r3mem_agents.types import IN_MEMORY

APPLICATION_ID = 0x52334D65
"""``R3Me`` in the header of every file of ours."""

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another one."""

READER_TIMEOUT_S = 5.0
"""How long a scrub waits for a reader that stays in its transaction; chosen: lookups take less."""

PAGE_BYTES = 2048
"""Chosen: half of SQLite's own, since a small memory is a dozen pages that are hardly filled."""

MAX_SKIPPED_IDS = 2**24
"""Chosen: far more than the turns of a memory, so that these do not show in the sum."""

WRITE = "r3mem_write"
"""Execution option of the engine that begins write transactions."""


def connect(url: URL) -> Engine:
    """Make an engine whose connections are set up for exact, scrubbable, concurrent storage."""
    in_memory = url.database in (None, "", IN_MEMORY)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        # A database in memory is its one connection, so threads take turns on it.
        pool_size=1 if in_memory else 5,
        max_overflow=0 if in_memory else -1,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def is_unwritable(error: BaseException) -> bool:
    """Whether that is what stands in the way, rather than another program or damage."""
    return _code(getattr(error, "orig", None) or error) in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
    )


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions; _begin does
    connection.text_factory = _text
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")


def _text(value: bytes) -> str:
    # Damage makes text of bytes: what it spells must not keep other rows from being read.
    return value.decode(errors="replace")


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a write later can fail instead of waiting.
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def is_ours(connection: Connection, name: str) -> bool:
    """Tell a file of ours from a new one.

    Raises:
        StoreCorruptError: If it is neither.
    """
    mark = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    if mark == APPLICATION_ID:
        return True
    if mark or connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one():
        raise StoreCorruptError(
            f"{name} is a database of another program; give another path (it was left as it is)"
        )
    return False


def mark_as_ours(connection: Connection) -> None:
    """Sign the file inside the transaction that creates its tables."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def begin_file(engine: Engine) -> None:
    """Choose what is kept in the file from then on: its pages, and a write-ahead log.

    With that readers and a writer work at once.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    with _bare(engine) as cursor:
        cursor.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        while True:
            try:
                cursor.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # SQLite does not wait here by itself when two programs create the same file.
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def scrub(engine: Engine) -> bool:
    """Rewrite the file so that nothing of deleted rows is left in it or in its log.

    ``secure_delete`` zeroes what is deleted, but not the copies of a row that a B-tree leaves
    behind when it moves rows between pages (found by a test: some of 600 deleted rows could still
    be read); so the whole file is rewritten.

    Returns:
        False if another reader kept the write-ahead log from being emptied.
    """
    with _bare(engine) as cursor:
        cursor.execute("VACUUM")
        deadline = time.monotonic() + READER_TIMEOUT_S
        with _patience(cursor, READER_TIMEOUT_S):
            while cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                # SQLite waits for readers here, but not for another one that empties the log.
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.01)
    return True


def skip_ids(connection: Connection) -> None:
    """Raise the counters of row ids by chance, so that they do not tell how many rows there were.

    They only grow: an id is never given twice.
    """
    connection.exec_driver_sql(
        f"UPDATE sqlite_sequence SET seq = seq + 1 + abs(random() % {MAX_SKIPPED_IDS})"
    )


def file_bytes(engine: Engine) -> int:
    """Size of the database file and its write-ahead log; 0 for a database in memory.

    The log is emptied into the file first, unless somebody reads: until then pages count twice.
    """
    checkpoint(engine)
    with _bare(engine) as cursor:
        path = cursor.execute("PRAGMA database_list").fetchone()[2]
    if not path:
        return 0
    parts = (Path(path), Path(f"{path}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def checkpoint(engine: Engine) -> None:
    """Copy what is in the write-ahead log into the file, if that can be done without waiting."""
    with _bare(engine) as cursor, _patience(cursor, 0):
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            if not is_unwritable(error):
                raise


def copy_to(engine: Engine, target: Path) -> None:
    """Write a whole, compact copy of the database, as of one moment, without deleted rows.

    It has its name only when it is complete.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with _bare(engine) as cursor:
            cursor.execute("VACUUM INTO ?", (str(part),))
        with closing(sqlite3.connect(part)) as copy:
            copy.execute("PRAGMA journal_mode = WAL")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def problems(connection: Connection) -> list[str]:
    """What SQLite itself finds wrong: with its pages, its indexes, and rows that refer to none."""
    found = [
        f"the file is not sound: {message}"
        for (message,) in connection.exec_driver_sql("PRAGMA integrity_check")
        if message != "ok"
    ]
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        found.append(f"row {row} of {table}: what it refers to in {parent} is not there")
    return found


@contextmanager
def _patience(cursor: sqlite3.Cursor, seconds: float) -> Iterator[None]:
    # Pooled connections are used again, so what they wait otherwise is restored.
    cursor.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")


@contextmanager
def _bare(engine: Engine) -> Iterator[sqlite3.Cursor]:
    # A connection outside of any transaction, where VACUUM and some pragmas want to be.
    with unforked():
        connection = engine.raw_connection()
        try:
            cursor: Any = connection.cursor()
            with closing(cursor):  # else SQLite keeps the file open after an error
                yield cursor
        finally:
            connection.close()


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn the database's errors into this package's, with what to do about them.

    Args:
        name: The database, as messages should call it.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        raise _explanation(cause, name) from error
    except OSError as error:
        raise StoreUnavailableError(f"{name}: {error}; nothing was changed") from error
    except UnicodeDecodeError as error:  # a name in the schema, or SQLite's message about one
        raise StoreCorruptError(f"{name} is damaged ({error}); restore it from a backup") from error


def _code(error: BaseException) -> int:
    # The low byte is the kind of error; the rest is detail.
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _explanation(cause: BaseException, name: str) -> StoreError:
    match _code(cause):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreUnavailableError(
                f"{name} stayed locked by another program for {BUSY_TIMEOUT_S:g} s; nothing was "
                "changed, try again when that program is done"
            )
        case sqlite3.SQLITE_FULL:
            return StoreUnavailableError(
                f"the disk of {name} is full; nothing was changed, free some space and try again"
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StoreUnavailableError(
                f"{name} cannot be opened for writing ({cause}); check the permissions of the "
                "file and its folder"
            )
        case sqlite3.SQLITE_IOERR:
            return StoreUnavailableError(
                f"the disk of {name} reported an error ({cause}); nothing was changed, check that "
                "the disk is healthy and has space left"
            )
        case sqlite3.SQLITE_NOTADB:
            return StoreCorruptError(
                f"{name} is no database; give another path (it was left as it is)"
            )
        case (
            sqlite3.SQLITE_CORRUPT
            | sqlite3.SQLITE_ERROR
            | sqlite3.SQLITE_MISMATCH
            | sqlite3.SQLITE_CONSTRAINT
        ):
            return _damaged(cause, name)
        case _ if isinstance(cause, NoResultFound | MultipleResultsFound):
            return _damaged(cause, name)  # every statement that wants one row is sure to find it
        case _:
            return StoreError(f"{name}: {cause}")


def _damaged(cause: BaseException, name: str) -> StoreCorruptError:
    return StoreCorruptError(
        f"{name} is damaged ({cause}); restore it from a copy, or save what can be read with: "
        "sqlite3 FILE .recover"
    )
