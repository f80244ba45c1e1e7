"""How long SQLite is waited for, where somebody else has the file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

LOOK_EVERY_S = 0.001
"""How often a writer looks whether the file is free; chosen. SQLite looks less and less often, down
to ten times a second: another process that writes all the time would hardly let it in."""


def primary_code(error: BaseException) -> int:
    """SQLite's code of an error without its details, which are in the higher bytes; 0 for none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def execute_once_free(connection: sqlite3.Connection, statement: str, until: float) -> None:
    """Execute what takes the lock of those who write.

    Args:
        connection: Outside of any transaction.
        statement: What to execute.
        until: How long to wait for other processes, on the monotonic clock.

    Raises:
        sqlite3.OperationalError: If the lock was not free until then.
    """
    with patience(connection, 0):
        while True:
            try:
                connection.execute(statement)
            except sqlite3.OperationalError as error:
                if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(LOOK_EVERY_S)
            else:
                return


@contextmanager
def patience(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Let SQLite itself wait for locks so long, until this block ends."""
    [before] = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {1000 * seconds:.0f}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")
