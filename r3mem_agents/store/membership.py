"""Which turns a scope has, and by which terms they are found: the rows of ``blocks``.

All of it can be made anew from the turns. So where a block is damaged the turns are looked for one
by one, and ``StaleTermsError`` has the terms of the scope made anew, and the blocks with them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

from r3mem_agents.errors import StaleTermsError
from r3mem_agents.store.block_rows import (
    DAMAGED,
    B,
    delete_block,
    delete_blocks,
    holding,
    newest_block,
    opened,
    select_blocks,
    write_block,
)
from r3mem_agents.store.blocks import Block, Columns, decode, decode_columns
from r3mem_agents.store.rows import the_one

BLOCK_BYTES = 12_000
"""A block of so many bytes gets no more turns; chosen."""

YOUNG = 32
"""The last block is written anew with every turn that is remembered, until it has so many turns and
goes into the one before; chosen, so that this takes little beside compressing a turn."""

AT_ONCE = 128
"""Turns that are added to a block at once; chosen."""

BROKEN = b"broken"
"""Stands for the rules of a scope whose blocks were found damaged, until they are made anew."""


def read_blocks(
    connection: sqlite3.Connection, scope: int, rules: bytes, after: int = 0, *, terms: bool = True
) -> Iterator[Block]:
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
    return _read(connection, scope, rules, after, partial(decode, terms=terms))


def read_columns(
    connection: sqlite3.Connection, scope: int, rules: bytes, after: int
) -> Iterator[Columns]:
    """The same as arrays; as of ``read_blocks``."""
    return _read(connection, scope, rules, after, decode_columns)


def _read(
    connection: sqlite3.Connection, scope: int, rules: bytes, after: int, read: Callable[[bytes], B]
) -> Iterator[B]:
    if rules == BROKEN:
        raise StaleTermsError(DAMAGED)
    count = 0
    for row in select_blocks(
        connection, "WHERE scope = ? AND last > ? ORDER BY last", scope, after
    ):
        block = opened(row, read)
        count += len(block.ids)
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
        return [
            turn
            for block in read_blocks(connection, scope, rules, terms=False)
            for turn, session in zip(block.ids, block.sessions, strict=True)
            if sessions is None or session in sessions
        ]
    except StaleTermsError:
        query = "SELECT id, session FROM turns WHERE scope = ? ORDER BY id"
        return [
            turn
            for turn, session in connection.execute(query, (scope,))
            if sessions is None or session in sessions
        ]


def used_names(
    connection: sqlite3.Connection, scope: int, rules: bytes
) -> tuple[set[int], set[int]]:
    """Rows of the sessions and of the speakers to which turns of a scope refer."""
    try:
        found = list(read_blocks(connection, scope, rules, terms=False))
        return (
            {session for block in found for session in block.sessions},
            {speaker for block in found for speaker in block.speakers},
        )
    except StaleTermsError:
        query = "SELECT DISTINCT session, speaker FROM turns WHERE scope = ?"
        pairs = connection.execute(query, (scope,)).fetchall()
        return {pair[0] for pair in pairs}, {pair[1] for pair in pairs}


def add_members(connection: sqlite3.Connection, scope: int, new: Block) -> None:
    """Append turns with ids greater than all before them to the blocks of a scope."""
    _count(connection, scope, len(new))
    for start in range(0, len(new), AT_ONCE):
        some = new.part(range(start, min(start + AT_ONCE, len(new))))
        try:
            _append(connection, scope, some)
        except StaleTermsError:
            break_blocks(connection, scope)
            return


def remove_members(connection: sqlite3.Connection, scope: int, ids: Collection[int]) -> None:
    """Take turns out of the blocks of a scope."""
    doomed = {*ids}
    _count(connection, scope, -len(doomed))

    def left(block: Block) -> Block:
        return block.part([place for place, id_ in enumerate(block.ids) if id_ not in doomed])

    _change(connection, scope, doomed, left)


def replace_members(connection: sqlite3.Connection, scope: int, new: Block) -> None:
    """Give turns in the blocks of a scope other speakers and terms."""
    wanted = {id_: place for place, id_ in enumerate(new.ids)}

    def changed(block: Block) -> Block:
        for place, id_ in enumerate(block.ids):
            if (other := wanted.get(id_)) is not None:
                block.speakers[place] = new.speakers[other]
                block.terms[place] = new.terms[other]
        return block

    _change(connection, scope, wanted.keys(), changed)


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
        try:
            block = opened(row, decode)
        except StaleTermsError:
            continue
        old.update(zip(block.ids, block.terms, strict=True))
    delete_blocks(connection, scope)
    connection.execute("UPDATE scopes SET turns = 0 WHERE id = ?", (scope,))
    query = "SELECT id, session, speaker FROM turns WHERE scope = ? ORDER BY id"
    new = Block()
    for id_, session, speaker in connection.execute(query, (scope,)):
        made = terms.get(id_)
        new.ids.append(id_)
        new.sessions.append(session if _is_row(session) else 0)
        new.speakers.append(speaker if _is_row(speaker) else 0)
        new.terms.append(old.get(id_, b"") if made is None else made)
    add_members(connection, scope, new)


def terms_of(connection: sqlite3.Connection, scope: int, ids: Sequence[int]) -> dict[int, bytes]:
    """Terms of those of some turns of a scope of which they can be read."""
    found: dict[int, bytes] = {}
    for row, some in holding(connection, scope, ids):
        try:
            block = opened(row, decode)
        except StaleTermsError:
            continue
        wanted = {*some}
        pairs = zip(block.ids, block.terms, strict=True)
        found.update((id_, terms) for id_, terms in pairs if id_ in wanted)
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
            block = opened(row, decode)
        except StaleTermsError:
            yield f"row {row.id} of blocks: its bytes are not those that were written"
            continue
        for id_, session, speaker in zip(block.ids, block.sessions, block.speakers, strict=True):
            told[id_] = row.scope, session, speaker
    for id_, *there in connection.execute("SELECT id, scope, session, speaker FROM turns"):
        if told.pop(id_, None) != tuple(there):
            yield f"row {id_} of turns: it is not what the blocks of its scope say"
    for id_ in told:
        yield f"row {id_} of turns: it is in the blocks of a scope, but not there"


def _count(connection: sqlite3.Connection, scope: int, more: int) -> None:
    connection.execute("UPDATE scopes SET turns = turns + ? WHERE id = ?", (more, scope))


def _append(connection: sqlite3.Connection, scope: int, new: Block) -> None:
    row = newest_block(connection, scope, 0)
    block, number = Block(), None
    if row is not None and len(last := opened(row, decode)) < YOUNG:
        block, number = last, row.id
    block.extend(new)
    if row is not None and len(block) >= YOUNG:
        if number is not None:  # it goes into the one before, if that has room
            row = newest_block(connection, scope, 1)
        if row is not None and len(row.data) < BLOCK_BYTES:
            if number is not None:
                delete_block(connection, number)
            young, block, number = block, opened(row, decode), row.id
            block.extend(young)
    write_block(connection, number, scope, block)


def _change(
    connection: sqlite3.Connection,
    scope: int,
    ids: Collection[int],
    change: Callable[[Block], Block],
) -> None:
    for row, _ in holding(connection, scope, ids):
        try:
            block = change(opened(row, decode))
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
