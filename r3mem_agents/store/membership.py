"""Which turns a scope has, and by which terms they are found: the rows of ``blocks``.

All of it can be made anew from the turns. So where a block is damaged the turns are looked for one
by one, and ``StaleTermsError`` has the terms of the scope made anew, and the blocks with them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np

from r3mem_agents.errors import StaleTermsError
from r3mem_agents.store.block_rows import (
    DAMAGED,
    delete_block,
    delete_blocks,
    holding,
    newest_block,
    opened,
    select_blocks,
    write_block,
)
from r3mem_agents.store.blocks import Columns
from r3mem_agents.store.rows import id_list, the_one

MAX_SIZE = 1 << 17
"""Ids and terms in a block, at most: some 5,000 turns. To forget or to edit a turn rewrites its
block, and a lookup's index is built of whole blocks; chosen."""

YOUNG = 32
"""The last block is written anew with every turn that is remembered, until it has so many turns;
chosen, so that this takes little beside compressing a turn."""

FAN = 4
"""A block takes in those after it when they have grown to one part in so many of it, so that a turn
is written anew about so many times while its block grows; chosen."""

BROKEN = b"broken"
"""Stands for the rules of a scope whose blocks were found damaged, until they are made anew."""


def read_blocks(
    connection: sqlite3.Connection, scope: int, rules: bytes, after: int = 0, *, terms: bool = True
) -> Iterator[Columns]:
    """The blocks of a scope in the order of its turns.

    Args:
        connection: Inside a transaction.
        scope: Row of the scope.
        rules: Of the scope.
        after: Leave out blocks without a greater turn id.
        terms: Read terms too, which takes most of the time.

    Raises:
        StaleTermsError: One of them is damaged.
    """
    if rules == BROKEN:
        raise StaleTermsError(DAMAGED)
    count = 0
    for row in select_blocks(
        connection, "WHERE scope = ? AND last > ? ORDER BY last", scope, after
    ):
        block = opened(row, terms=terms)
        count += len(block)
        yield block
    if not after:
        [turns] = the_one(connection.execute("SELECT turns FROM scopes WHERE id = ?", (scope,)))
        if count != turns:  # a block is not there
            raise StaleTermsError(DAMAGED)


def member_ids(
    connection: sqlite3.Connection,
    scope: int,
    rules: bytes,
    sessions: Collection[int] | None = None,
) -> list[int]:
    """Ids of all turns of a scope, or of some of its sessions, ascending.

    Args:
        connection: Inside a transaction.
        scope: Row of the scope.
        rules: Of the scope.
        sessions: Rows of the sessions.
    """
    try:
        ids: list[int] = []
        for block in read_blocks(connection, scope, rules, terms=False):
            wanted = slice(None) if sessions is None else np.isin(block.sessions, [*sessions])
            ids += block.ids[wanted].tolist()
        return ids
    except StaleTermsError:
        query = "SELECT id, session FROM turns WHERE scope = ? ORDER BY id"
        return [
            turn
            for turn, session in connection.execute(query, (scope,))
            if sessions is None or session in sessions
        ]


def used_names(
    connection: sqlite3.Connection, scope: int, rules: bytes, without: Collection[int] = ()
) -> tuple[set[int], set[int]]:
    """Rows of the sessions and of the speakers to which turns of a scope refer.

    Args:
        connection: Inside a transaction.
        scope: Row of the scope.
        rules: Of the scope.
        without: Ids of turns that do not count.
    """
    sessions: set[int] = set()
    speakers: set[int] = set()
    try:
        for block in read_blocks(connection, scope, rules, terms=False):
            some = ~np.isin(block.ids, [*without]) if without else slice(None)
            sessions.update(block.sessions[some].tolist())
            speakers.update(block.speakers[some].tolist())
        return sessions, speakers
    except StaleTermsError:
        query = (
            "SELECT DISTINCT session, speaker FROM turns WHERE scope = ?"
            " AND id NOT IN (SELECT value FROM json_each(?))"
        )
        pairs = connection.execute(query, (scope, id_list(without))).fetchall()
        return {pair[0] for pair in pairs}, {pair[1] for pair in pairs}


def add_members(connection: sqlite3.Connection, scope: int, new: Columns) -> None:
    """Append turns with ids greater than all before them to the blocks of a scope."""
    _count(connection, scope, len(new))
    try:
        for some in new.cut(MAX_SIZE // 2):
            _append(connection, scope, some)
    except StaleTermsError:
        break_blocks(connection, scope)


def remove_members(connection: sqlite3.Connection, scope: int, ids: Collection[int]) -> None:
    """Take turns out of the blocks of a scope."""
    _count(connection, scope, -len(ids))
    _change(connection, scope, ids, lambda block, some: block.part(~np.isin(block.ids, some)))


def replace_members(connection: sqlite3.Connection, scope: int, new: Columns) -> None:
    """Give turns in the blocks of a scope other speakers and terms."""
    _change(connection, scope, new.ids.tolist(), lambda block, _: block.replaced(new))


def rebuild_blocks(
    connection: sqlite3.Connection, scope: int, terms: Mapping[int, bytes | None]
) -> None:
    """Make the blocks of a scope anew from its turns.

    Args:
        connection: Inside a write transaction.
        scope: Row of the scope.
        terms: Of each turn; ``None`` leaves them as they are, if that can be told.
    """
    old: dict[int, bytes] = {}
    for row in select_blocks(connection, "WHERE scope = ?", scope):
        with suppress(StaleTermsError):
            old |= opened(row).said()
    delete_blocks(connection, scope)
    connection.execute("UPDATE scopes SET turns = 0 WHERE id = ?", (scope,))
    query = "SELECT id, session, speaker FROM turns WHERE scope = ? ORDER BY id"
    rows = [
        (id_, session if _is_row(session) else 0, speaker if _is_row(speaker) else 0)
        for id_, session, speaker in connection.execute(query, (scope,))
    ]
    if rows:
        ids, sessions, speakers = zip(*rows, strict=True)
        made = [old.get(id_, b"") if (new := terms.get(id_)) is None else new for id_ in ids]
        add_members(connection, scope, Columns.of(ids, sessions, speakers, made))


def terms_of(connection: sqlite3.Connection, scope: int, ids: Sequence[int]) -> dict[int, bytes]:
    """Terms of those of some turns of a scope of which they can be read."""
    found: dict[int, bytes] = {}
    for row, some in holding(connection, scope, ids):
        with suppress(StaleTermsError):
            block = opened(row)
            found |= block.part(np.isin(block.ids, some)).said()
    return found


def break_blocks(connection: sqlite3.Connection, scope: int) -> None:
    """Remove damaged blocks; they are made anew before they are read again."""
    delete_blocks(connection, scope)
    connection.execute("UPDATE scopes SET rules = ? WHERE id = ?", (BROKEN, scope))


def block_problems(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with blocks: their bytes, or that they have not the turns that there are."""
    told: dict[int, tuple[int, int, int]] = {}
    for row in select_blocks(connection, "ORDER BY id"):
        try:
            block = opened(row, terms=False)
        except StaleTermsError:
            yield f"row {row.id} of blocks: its bytes are not those that were written"
            continue
        columns = [column.tolist() for column in (block.ids, block.sessions, block.speakers)]
        for id_, session, speaker in zip(*columns, strict=True):
            told[id_] = row.scope, session, speaker
    for id_, *there in connection.execute("SELECT id, scope, session, speaker FROM turns"):
        if told.pop(id_, None) != tuple(there):
            yield f"row {id_} of turns: it is not what the blocks of its scope say"
    for id_ in told:
        yield f"row {id_} of turns: it is in the blocks of a scope, but not there"


def _count(connection: sqlite3.Connection, scope: int, more: int) -> None:
    connection.execute("UPDATE scopes SET turns = turns + ? WHERE id = ?", (more, scope))


def _append(connection: sqlite3.Connection, scope: int, new: Columns) -> None:
    taken: list[int] = []
    while row := newest_block(connection, scope, len(taken)):
        before = opened(row)
        if not _goes_into(before, new):
            break
        new = Columns.join([before, new])
        taken.append(row.id)
        if len(new) < YOUNG:  # as nearly always, and then no older block is read
            break
    number = taken.pop() if taken else None
    for one in taken:
        delete_block(connection, one)
    write_block(connection, number, scope, new)


def _goes_into(before: Columns, new: Columns) -> bool:
    if before.size + new.size > MAX_SIZE:
        return False
    return len(before) < YOUNG or (len(new) >= YOUNG and before.size < FAN * new.size)


def _change(
    connection: sqlite3.Connection,
    scope: int,
    ids: Collection[int],
    change: Callable[[Columns, Sequence[int]], Columns],
) -> None:
    for row, some in holding(connection, scope, ids):
        try:
            block = change(opened(row), some)
        except StaleTermsError:
            break_blocks(connection, scope)
            return
        if len(block):
            write_block(connection, row.id, scope, block)
        else:
            delete_block(connection, row.id)


def _is_row(value: object) -> bool:
    # What is damaged may be of another type.
    return isinstance(value, int) and value >= 0
