"""Single rows out of statements, and lists of ids into them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

MAX_ID = 2**63 - 1
"""Databases hold no greater integer."""

GIVEN = "json_each(?) AS given CROSS JOIN turns ON turns.id = given.value"
"""Those of the turns of ``id_list`` that there are, in its order; CROSS keeps that."""


class RowError(sqlite3.DatabaseError):
    """There is not the one row that must be there."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def at_most_one(found: sqlite3.Cursor) -> Any:
    """The row that was found; ``None`` if there is none.

    Raises:
        RowError: If there are more.
    """
    rows = found.fetchmany(2)
    if len(rows) > 1:
        raise RowError("more than one row where one must be")
    return rows[0] if rows else None


def the_one(found: sqlite3.Cursor) -> Any:
    """The row that must be there.

    Raises:
        RowError: If there is none, or another one.
    """
    row = at_most_one(found)
    if row is None:
        raise RowError("no row where one must be")
    return row


def inserted(connection: sqlite3.Connection, statement: str, values: Sequence[Any]) -> int:
    """Insert a row; returns its id."""
    made = connection.execute(statement, values).lastrowid
    assert made is not None, "a statement that inserts a row"
    return made


def possible_ids(ids: Iterable[int]) -> list[int]:
    """Those of some numbers that may be ids: a database has no greater ones."""
    return [id_ for id_ in ids if 0 < id_ <= MAX_ID]


def id_list(ids: Iterable[int]) -> str:
    """Ids as one parameter of a statement, however many, which reads them by ``json_each(?)``."""
    return json.dumps([*ids])
