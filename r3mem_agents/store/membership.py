"""Which turns a scope has, and by which terms they are found: the rows of ``blocks``.

All of it can be made anew from the turns. So where a block is damaged the turns are looked for one
by one, and ``StaleTermsError`` has the terms of the scope made anew, and the blocks with them.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, delete, insert, select, update

from r3mem_agents.errors import StaleTermsError
from r3mem_agents.store.blocks import Block, Columns, decode, decode_columns, encode
from r3mem_agents.store.schema import blocks, raw, scopes, turns

B = TypeVar("B", Block, Columns)

BLOCK_BYTES = 12_000
"""A block of so many bytes gets no more turns; chosen."""

YOUNG = 32
"""The last block is written anew with every turn that is remembered, until it has so many turns and
goes into the one before; chosen, so that this takes little beside compressing a turn."""

AT_ONCE = 128
"""Turns that are added to a block at once; chosen."""

BROKEN = b"broken"
"""Stands for the rules of a scope whose blocks were found damaged, until they are made anew."""

_DAMAGED = "the terms of these turns are damaged; make them anew"


def read_blocks(
    connection: Connection, scope: int, rules: bytes, after: int = 0, *, terms: bool = True
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


def read_columns(connection: Connection, scope: int, rules: bytes, after: int) -> Iterator[Columns]:
    """The same as arrays; as of ``read_blocks``."""
    return _read(connection, scope, rules, after, decode_columns)


def _read(
    connection: Connection, scope: int, rules: bytes, after: int, read: Callable[[bytes], B]
) -> Iterator[B]:
    if rules == BROKEN:
        raise StaleTermsError(_DAMAGED)
    mine = (blocks.c.scope == scope) & (blocks.c.last > after)
    count = 0
    for row in connection.execute(_SELECT.where(mine).order_by(blocks.c.last)):
        block = _opened(row, read)
        count += len(block.ids)
        yield block
    wanted = select(raw(scopes.c.turns)).where(scopes.c.id == scope)
    if not after and count != connection.execute(wanted).scalar_one():  # a block is not there
        raise StaleTermsError(_DAMAGED)


def member_ids(
    connection: Connection, scope: int, rules: bytes, sessions: Collection[int] | None = None
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
        query = select(turns.c.id, turns.c.session).where(turns.c.scope == scope)
        found = connection.execute(query.order_by(turns.c.id))
        return [row.id for row in found if sessions is None or row.session in sessions]


def used_names(connection: Connection, scope: int, rules: bytes) -> tuple[set[int], set[int]]:
    """Rows of the sessions and of the speakers to which turns of a scope refer."""
    try:
        found = list(read_blocks(connection, scope, rules, terms=False))
        return (
            {session for block in found for session in block.sessions},
            {speaker for block in found for speaker in block.speakers},
        )
    except StaleTermsError:
        query = select(turns.c.session, turns.c.speaker).where(turns.c.scope == scope).distinct()
        pairs = [*connection.execute(query)]
        return {pair[0] for pair in pairs}, {pair[1] for pair in pairs}


def add_members(connection: Connection, scope: int, new: Block) -> None:
    """Append turns with ids greater than all before them to the blocks of a scope."""
    _count(connection, scope, scopes.c.turns + len(new))
    for start in range(0, len(new), AT_ONCE):
        some = new.part(range(start, min(start + AT_ONCE, len(new))))
        try:
            _append(connection, scope, some)
        except StaleTermsError:
            break_blocks(connection, scope)
            return


def remove_members(connection: Connection, scope: int, ids: Collection[int]) -> None:
    """Take turns out of the blocks of a scope."""
    doomed = {*ids}
    _count(connection, scope, scopes.c.turns - len(doomed))

    def left(block: Block) -> Block:
        return block.part([place for place, id_ in enumerate(block.ids) if id_ not in doomed])

    _change(connection, scope, doomed, left)


def replace_members(connection: Connection, scope: int, new: Block) -> None:
    """Give turns in the blocks of a scope other speakers and terms."""
    wanted = {id_: place for place, id_ in enumerate(new.ids)}

    def changed(block: Block) -> Block:
        for place, id_ in enumerate(block.ids):
            if (other := wanted.get(id_)) is not None:
                block.speakers[place] = new.speakers[other]
                block.terms[place] = new.terms[other]
        return block

    _change(connection, scope, wanted.keys(), changed)


def rebuild_blocks(connection: Connection, scope: int, terms: Mapping[int, bytes | None]) -> None:
    """Make the blocks of a scope anew from its turns.

    Args:
        connection: Inside a write transaction.
        scope: Row of the scope.
        terms: Of each turn; ``None`` leaves them as they are, if that can be told.
    """
    old: dict[int, bytes] = {}
    rows = connection.execute(_SELECT.where(blocks.c.scope == scope)).all()
    for row in rows:
        try:
            block = _opened(row, decode)
        except StaleTermsError:
            continue
        old.update(zip(block.ids, block.terms, strict=True))
    _delete_all(connection, scope)
    _count(connection, scope, 0)
    columns = (raw(turns.c[name]) for name in ("id", "session", "speaker"))
    query = select(*columns).where(turns.c.scope == scope).order_by(turns.c.id)
    new = Block()
    for id_, session, speaker in connection.execute(query):
        made = terms.get(id_)
        new.ids.append(id_)
        new.sessions.append(session if _is_row(session) else 0)
        new.speakers.append(speaker if _is_row(speaker) else 0)
        new.terms.append(old.get(id_, b"") if made is None else made)
    add_members(connection, scope, new)


def terms_of(connection: Connection, scope: int, ids: Sequence[int]) -> dict[int, bytes]:
    """Terms of those of some turns of a scope of which they can be read."""
    found: dict[int, bytes] = {}
    for row, some in _holding(connection, scope, ids):
        try:
            block = _opened(row, decode)
        except StaleTermsError:
            continue
        wanted = {*some}
        pairs = zip(block.ids, block.terms, strict=True)
        found.update((id_, terms) for id_, terms in pairs if id_ in wanted)
    return found


def break_blocks(connection: Connection, scope: int) -> None:
    """Remove damaged blocks; they are made anew before they are read again."""
    _delete_all(connection, scope)
    connection.execute(update(scopes).where(scopes.c.id == scope).values(rules=BROKEN))


def block_problems(connection: Connection) -> Iterator[str]:
    """What is wrong with blocks: their bytes, or that they have not the turns that there are."""
    told: dict[int, tuple[int, int, int]] = {}
    for row in connection.execute(_SELECT.order_by(blocks.c.id)):
        try:
            block = _opened(row, decode)
        except StaleTermsError:
            yield f"row {row.id} of blocks: its bytes are not those that were written"
            continue
        for id_, session, speaker in zip(block.ids, block.sessions, block.speakers, strict=True):
            told[id_] = row.scope, session, speaker
    columns = (raw(turns.c[name]) for name in ("id", "scope", "session", "speaker"))
    for id_, *there in connection.execute(select(*columns)):
        if told.pop(id_, None) != tuple(there):
            yield f"row {id_} of turns: it is not what the blocks of its scope say"
    for id_ in told:
        yield f"row {id_} of turns: it is in the blocks of a scope, but not there"


_SELECT = select(*(raw(column).label(column.name) for column in blocks.c))


def _delete_all(connection: Connection, scope: int) -> None:
    # Those whose own scope is damaged too, which nobody else would miss.
    lost = blocks.c.scope.not_in(select(scopes.c.id))
    connection.execute(delete(blocks).where((blocks.c.scope == scope) | lost))


def _count(connection: Connection, scope: int, count: Any) -> None:
    connection.execute(update(scopes).where(scopes.c.id == scope).values(turns=count))


def _append(connection: Connection, scope: int, new: Block) -> None:
    newest_first = _SELECT.where(blocks.c.scope == scope).order_by(blocks.c.last.desc())
    row = connection.execute(newest_first.limit(1)).one_or_none()
    block, number = Block(), None
    if row is not None and len(last := _opened(row, decode)) < YOUNG:
        block, number = last, row.id
    block.extend(new)
    if row is not None and len(block) >= YOUNG:
        if number is not None:  # it goes into the one before, if that has room
            row = connection.execute(newest_first.limit(1).offset(1)).one_or_none()
        if row is not None and len(row.data) < BLOCK_BYTES:
            if number is not None:
                connection.execute(delete(blocks).where(blocks.c.id == number))
            young, block, number = block, _opened(row, decode), row.id
            block.extend(young)
    _write(connection, number, scope, block)


def _change(
    connection: Connection, scope: int, ids: Collection[int], change: Callable[[Block], Block]
) -> None:
    for row, _ in _holding(connection, scope, ids):
        try:
            block = change(_opened(row, decode))
        except StaleTermsError:
            break_blocks(connection, scope)
            return
        if len(block):
            _write(connection, row.id, scope, block)
        else:
            connection.execute(delete(blocks).where(blocks.c.id == row.id))


def _holding(
    connection: Connection, scope: int, ids: Iterable[int]
) -> Iterator[tuple[Row[Any], list[int]]]:
    """Blocks that may hold some turns, each with the turns that it may hold."""
    query = select(blocks.c.id, raw(blocks.c.last)).where(blocks.c.scope == scope)
    ends = [(last, id_) for id_, last in connection.execute(query) if isinstance(last, int)]
    ends.sort()
    wanted: dict[int, list[int]] = {}
    for id_ in sorted(ids):
        place = bisect_left(ends, (id_,))
        if place < len(ends):
            wanted.setdefault(ends[place][1], []).append(id_)
    for number, some in wanted.items():
        yield connection.execute(_SELECT.where(blocks.c.id == number)).one(), some


def _opened(row: Row[Any], read: Callable[[bytes], B]) -> B:
    try:
        if _checksum(row.scope, row.last, row.data) == row.checksum:
            return read(row.data)
    except (TypeError, ValueError, struct.error):
        pass
    raise StaleTermsError(_DAMAGED)


def _write(connection: Connection, number: int | None, scope: int, block: Block) -> None:
    last, data = block.ids[-1], encode(block)
    values = {"scope": scope, "last": last, "checksum": _checksum(scope, last, data), "data": data}
    if number is None:
        connection.execute(insert(blocks).values(values))
    else:
        connection.execute(update(blocks).where(blocks.c.id == number).values(values))


def _checksum(scope: int, last: int, data: bytes) -> int:
    crc = zlib.crc32(data, zlib.crc32(struct.pack("<qq", scope, last)))
    return int.from_bytes(crc.to_bytes(4), signed=True)


def _is_row(value: object) -> bool:
    # What is damaged may be of another type.
    return isinstance(value, int) and value >= 0
