"""The rows of the table ``blocks``: found, opened, written, deleted."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from r3mem_agents.errors import StaleTermsError
from r3mem_agents.store.blocks import Columns, decode, encode
from r3mem_agents.store.checksums import signed
from r3mem_agents.store.rows import the_one

DAMAGED = "the terms of these turns are damaged; make them anew"


class BlockRow(NamedTuple):
    """A row; damaged values may be of other types."""

    id: int
    scope: int
    last: int
    checksum: int
    data: bytes


_SELECT = "SELECT id, scope, last, checksum, data FROM blocks"


def select_blocks(connection: sqlite3.Connection, which: str, *values: int) -> Iterator[BlockRow]:
    """Some rows.

    Args:
        connection: Inside a transaction.
        which: The rest of the statement.
        values: Its parameters.
    """
    return map(BlockRow._make, connection.execute(f"{_SELECT} {which}", values))


def newest_block(connection: sqlite3.Connection, scope: int, passed: int) -> BlockRow | None:
    """The last block of a scope, or with ``passed`` one so many before it."""
    which = "WHERE scope = ? ORDER BY last DESC LIMIT 1 OFFSET ?"
    return next(select_blocks(connection, which, scope, passed), None)


def holding(
    connection: sqlite3.Connection, scope: int, ids: Iterable[int]
) -> Iterator[tuple[BlockRow, list[int]]]:
    """Blocks that may hold some turns, each with the turns that it may hold."""
    found = connection.execute("SELECT last, id FROM blocks WHERE scope = ?", (scope,))
    ends = sorted(end for end in found if isinstance(end[0], int))
    wanted: dict[int, list[int]] = {}
    for id_ in sorted(ids):
        place = bisect_left(ends, (id_,))
        if place < len(ends):
            wanted.setdefault(ends[place][1], []).append(id_)
    for number, some in wanted.items():
        row = the_one(connection.execute(f"{_SELECT} WHERE id = ?", (number,)))
        yield BlockRow._make(row), some


def opened(row: BlockRow, *, terms: bool = True) -> Columns:
    """The turns of a block.

    Args:
        row: The block.
        terms: Read terms too, which takes most of the time.

    Raises:
        StaleTermsError: Its bytes are not those that were written.
    """
    try:
        if _checksum(row.scope, row.last, row.data) == row.checksum:
            return decode(row.data, terms=terms)
    except (TypeError, ValueError, struct.error):
        pass
    raise StaleTermsError(DAMAGED)


def write_block(
    connection: sqlite3.Connection, number: int | None, scope: int, block: Columns
) -> None:
    """Write a block to the row with a number, or to a new one."""
    last, data = int(block.ids[-1]), encode(block)
    values = (scope, last, _checksum(scope, last, data), data)
    if number is None:
        connection.execute(
            "INSERT INTO blocks (scope, last, checksum, data) VALUES (?, ?, ?, ?)", values
        )
    else:
        connection.execute(
            "UPDATE blocks SET scope = ?, last = ?, checksum = ?, data = ? WHERE id = ?",
            (*values, number),
        )


def delete_block(connection: sqlite3.Connection, number: int) -> None:
    """Delete a row."""
    connection.execute("DELETE FROM blocks WHERE id = ?", (number,))


def delete_blocks(connection: sqlite3.Connection, scope: int) -> None:
    """Delete those of a scope; those whose own scope is damaged too, which nobody would miss."""
    connection.execute(
        "DELETE FROM blocks WHERE scope = ? OR scope NOT IN (SELECT id FROM scopes)", (scope,)
    )


def _checksum(scope: int, last: int, data: bytes) -> int:
    return signed(zlib.crc32(data, zlib.crc32(struct.pack("<qq", scope, last))))
