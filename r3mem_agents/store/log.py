"""Who changed what and when, without any of the words: the rows of ``log``, where one is kept.

An entry is written in the transaction of the change. It knows whose memory it is of by keyed hashes
of the names alone, so it can stay when all else of a user is forgotten.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Collection, Iterator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from r3mem_agents.store.checksums import row_checksum
from r3mem_agents.store.varints import Varints, varints
from r3mem_agents.timestamps import now_us

# Made when a log is asked for: an empty table would cost every file a page.
_TABLE = """
CREATE TABLE log (
    id INTEGER NOT NULL,
    user BLOB NOT NULL,
    agent BLOB NOT NULL,
    time_us BIGINT NOT NULL,
    change INTEGER NOT NULL,
    door BLOB,
    turns BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (id)
)
"""


class Change(IntEnum):
    """What was done; the numbers stay what they are, since files have them."""

    KEEP_LOG = 1
    REMEMBER = 2
    EDIT = 3
    FORGET = 4
    PIN = 5
    UNPIN = 6
    EXPIRE = 7


class LogRow(NamedTuple):
    """An entry.

    Attributes:
        time_us: When, in microseconds since 1970 in UTC.
        change: What was done.
        door: Hidden name of what the change came through; ``None`` if nobody asked for it.
        turns: Ids of the turns, ascending.
    """

    time_us: int
    change: Change
    door: bytes | None
    turns: Sequence[int]


_SELECT = "SELECT id, user, agent, time_us, change, door, turns, checksum FROM log"


def begin(connection: sqlite3.Connection, names: Sequence[bytes], door: bytes) -> None:
    """Keep a log from now on; its first entry says so.

    Args:
        connection: Inside a write transaction.
        names: Keyed hashes of the user and the agent who ask for it.
        door: As of ``LogRow``.
    """
    connection.execute(_TABLE)
    _insert(connection, names, LogRow(now_us(), Change.KEEP_LOG, door, ()))


def drop(connection: sqlite3.Connection) -> None:
    """Keep no log any more; bytes of it are left until the file is scrubbed."""
    connection.execute("DROP TABLE log")


def note(
    connection: sqlite3.Connection,
    scope: int,
    change: Change,
    turns: Collection[int],
    door: bytes | None = None,
) -> None:
    """Add an entry, if a log is kept and there is something to say.

    Args:
        connection: Inside the write transaction of the change, and before the scope goes with it.
        scope: Row of the scope.
        change: What is done.
        turns: Ids of the turns.
        door: As of ``LogRow``.
    """
    if turns and is_kept(connection):
        names = connection.execute("SELECT user, agent FROM scopes WHERE id = ?", (scope,))
        _insert(connection, names.fetchone(), LogRow(now_us(), change, door, sorted(turns)))


def entries(
    connection: sqlite3.Connection, names: Sequence[bytes]
) -> Iterator[tuple[int, LogRow | None]]:
    """The entries of a scope in the order of writing, by their rows; ``None`` if damaged.

    Args:
        connection: Inside a transaction.
        names: Keyed hashes of its user and agent.
    """
    if is_kept(connection):
        query = f"{_SELECT} WHERE user = ? AND agent = ? ORDER BY id"
        for id_, *values in connection.execute(query, names):
            yield id_, _opened(values)


def log_problems(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with the entries of a log."""
    if is_kept(connection):
        for id_, *values in connection.execute(f"{_SELECT} ORDER BY id"):
            if _opened(values) is None:
                yield f"row {id_} of log: it is not what was written"


def is_kept(connection: sqlite3.Connection) -> bool:
    """Whether a log is kept."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'log'"
    return connection.execute(query).fetchone() is not None


def _insert(connection: sqlite3.Connection, names: Sequence[bytes], row: LogRow) -> None:
    turns = varints(np.diff(np.array(row.turns, np.int64), prepend=0))
    values = (*names, row.time_us, int(row.change), row.door, turns)
    connection.execute(
        "INSERT INTO log (user, agent, time_us, change, door, turns, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*values, _checksum(values)),
    )


def _opened(values: Sequence[Any]) -> LogRow | None:
    # ``None`` if it is damaged, in whatever way.
    *own, checksum = values
    try:
        if _checksum(own) != checksum:
            return None
        _, _, time_us, change, door, turns = own
        steps = Varints(np.frombuffer(turns, np.uint8))
        ids = steps.part(0, len(steps)).cumsum().tolist()
        return LogRow(time_us, Change(change), door, ids)
    except (TypeError, ValueError, struct.error):
        return None


def _checksum(values: Sequence[Any]) -> int:
    user, agent, time_us, change, door, turns = values
    return row_checksum((time_us, change), (user, agent, door, turns))
