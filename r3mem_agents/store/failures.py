"""What SQLite's errors mean, and what to do about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from r3mem_agents.errors import StoreCorruptError, StoreError, StoreUnavailableError
from r3mem_agents.store import connections
from r3mem_agents.store.waiting import primary_code


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn the database's errors into this package's, with what to do about them.

    Args:
        name: The database, as messages should call it.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(error, name) from error
    except OSError as error:
        raise StoreUnavailableError(f"{name}: {error}; nothing was changed") from error
    except UnicodeDecodeError as error:  # a name in the schema, or SQLite's message about one
        raise StoreCorruptError(f"{name} is damaged ({error}); restore it from a backup") from error


def is_unwritable(error: BaseException) -> bool:
    """Whether that is what stands in the way, rather than another program or damage."""
    return primary_code(error) in (
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
    )


def is_busy(error: BaseException) -> bool:
    """Whether somebody else has the file."""
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _explanation(cause: BaseException, name: str) -> StoreError:
    match primary_code(cause):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreUnavailableError(
                f"{name} stayed locked by another program for {connections.BUSY_TIMEOUT_S:g} s; "
                "nothing was changed, try again when that program is done"
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
        case _:
            return StoreError(f"{name}: {cause}")


def _damaged(cause: BaseException, name: str) -> StoreCorruptError:
    return StoreCorruptError(
        f"{name} is damaged ({cause}); restore it from a copy, or save what can be read with: "
        "sqlite3 FILE .recover"
    )
