"""The rows of ``marks``: which turns are pinned, when turns expire, and earlier texts of turns.

A mark that is damaged counts as none: its turn stays what it is otherwise, not pinned and for ever,
and an earlier text becomes a turn of its own. So damage here takes nobody's words.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.store.checksums import row_checksum
from r3mem_agents.store.records import UNMARKED, Mark
from r3mem_agents.store.rows import id_list

VALUES = "marks.pinned, marks.expires_us, marks.version_of, marks.replaced_us, marks.checksum"
"""The columns of a mark besides those that say of which turn it is."""

ABSENT = -(2**63)
"""Stands for a value that is not there in a checksum."""

# Made with the first mark: an empty index would cost every file a page. Nothing but time depends on
# it.
_INDEX = """
CREATE INDEX IF NOT EXISTS marks_by_expiry ON marks (expires_us)
    WHERE expires_us IS NOT NULL AND pinned = 0
"""

_EXPIRED = "expires_us <= ? AND pinned = 0"

_ROWS = f"SELECT marks.turn, {VALUES} FROM marks"

_SELECT = f"{_ROWS} WHERE marks.scope = ?"


def mark_of(scope: int, turn: int, values: Sequence[Any]) -> Mark | None:
    """The mark in a row.

    Args:
        scope: Row of the scope.
        turn: Id of the turn.
        values: The columns of ``VALUES``; all ``None`` where there is no row.

    Returns:
        ``None`` if they are not what was written.
    """
    if all(value is None for value in values):
        return UNMARKED
    *written, checksum = values
    try:
        if _checksum(scope, turn, written) != checksum:
            return None
        pinned, *others = written
        return Mark(bool(pinned), *others)
    except struct.error:  # a damaged value has another type than its column
        return None


def _checksum(scope: int, turn: int, mark: Sequence[int | None]) -> int:
    return row_checksum((turn, scope, *(ABSENT if value is None else value for value in mark)))


def read_marks(connection: sqlite3.Connection, scope: int, first: int = 0) -> dict[int, Mark]:
    """Marks of a scope's turns from an id on, by turn id; damaged ones are left out."""
    return _sound(connection, f"{_SELECT} AND turn >= ?", scope, first)


def marks_of(connection: sqlite3.Connection, scope: int, turns: Iterable[int]) -> dict[int, Mark]:
    """Marks of those of some turns that have any, by turn id; damaged ones are left out."""
    given = "AND turn IN (SELECT value FROM json_each(?))"
    return _sound(connection, f"{_SELECT} {given}", scope, id_list(turns))


def _sound(connection: sqlite3.Connection, query: str, scope: int, given: Any) -> dict[int, Mark]:
    rows = connection.execute(query, (scope, given))
    found = ((turn, mark_of(scope, turn, values)) for turn, *values in rows)
    return {turn: mark for turn, mark in found if mark is not None}


def expired_turns(connection: sqlite3.Connection, scope: int, now_us: int) -> set[int]:
    """Ids of a scope's turns that have expired and are still there."""
    # The "+" keeps SQLite from looking through all marks of the scope.
    query = f"{_ROWS} WHERE +marks.scope = ? AND {_EXPIRED}"
    found = _sound(connection, query, scope, now_us)
    return {turn for turn, mark in found.items() if mark.has_expired(now_us)}


def earlier_texts(connection: sqlite3.Connection, scope: int) -> dict[int, Mark]:
    """Marks of the earlier texts of a scope's turns, by their own ids."""
    found = _sound(connection, f"{_SELECT} AND version_of > ?", scope, 0)
    return {turn: mark for turn, mark in found.items() if mark.version_of is not None}


def hidden_turns(connection: sqlite3.Connection, scope: int, now_us: int) -> set[int]:
    """Ids of what is there in a scope and no turn of its own: expired, or an earlier text."""
    return expired_turns(connection, scope, now_us) | earlier_texts(connection, scope).keys()


def hidden_among(
    connection: sqlite3.Connection, scope: int, turns: Iterable[int], now_us: int
) -> set[int]:
    """The same, of those of some turns."""
    found = marks_of(connection, scope, turns)
    return {turn for turn, mark in found.items() if mark.is_hidden(now_us)}


def scopes_with_expired(connection: sqlite3.Connection, now_us: int) -> list[int]:
    """Rows of the scopes of which turns have expired."""
    # With DISTINCT SQLite would look through all marks.
    query = f"SELECT scope FROM marks WHERE {_EXPIRED}"
    return [*dict.fromkeys(scope for (scope,) in connection.execute(query, (now_us,)))]


def write_marks(connection: sqlite3.Connection, scope: int, marks: Mapping[int, Mark]) -> None:
    """Write marks of turns, by their ids; one that says nothing leaves no row."""
    delete_marks(connection, scope, marks.keys())
    connection.execute(_INDEX)
    connection.executemany(
        "INSERT INTO marks (scope, turn, pinned, expires_us, version_of, replaced_us, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (scope, turn, *mark, _checksum(scope, turn, mark))
            for turn, mark in marks.items()
            if mark != UNMARKED
        ],
    )


def change_marks(connection: sqlite3.Connection, scope: int, marks: Mapping[int, Mark]) -> None:
    """Write marks of turns that were there already; outdates cached copies of marks."""
    write_marks(connection, scope, marks)
    connection.execute("UPDATE scopes SET marks = marks + 1 WHERE id = ?", (scope,))


def delete_marks(connection: sqlite3.Connection, scope: int, turns: Collection[int]) -> None:
    """Delete the marks of turns."""
    connection.executemany(
        "DELETE FROM marks WHERE scope = ? AND turn = ?", [(scope, turn) for turn in sorted(turns)]
    )


def mark_problems(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with marks: their bytes, or that they are of turns that are not there."""
    query = (
        f"SELECT marks.scope, marks.turn, {VALUES}, turns.id FROM marks"
        " LEFT JOIN turns ON turns.id = marks.turn AND turns.scope = marks.scope"
        " ORDER BY marks.scope, marks.turn"
    )
    for scope, turn, *values, there in connection.execute(query):
        where = f"row of turn {turn} in marks"
        if not isinstance(turn, int) or mark_of(scope, turn, values) is None:
            yield (
                f"{where}: it is not what was written, so it counts as none: the turn is not "
                "pinned, does not expire, and is no earlier text of another one"
            )
        elif there is None:
            yield f"{where}: the turn that it refers to is not there"
