"""What a lookup's index reads of a scope, in parts, so that little of it is held at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, case, literal, select

from r3mem_agents.store.blocks import Columns
from r3mem_agents.store.membership import read_columns
from r3mem_agents.store.records import Addition, IndexColumns, ScopeState
from r3mem_agents.store.schema import models, raw, speakers, turns
from r3mem_agents.store.writing import in_chunks

TURNS_AT_ONCE = 4096
"""Turns of a part, at least; chosen, so that calls take less time than rows."""

MAX_GAPS = 3
"""Rows that are passed over for each that is wanted, before each is looked up by its id; chosen."""


def additions(
    connection: Connection, state: ScopeState, first: int, encoder: str
) -> Iterator[Addition]:
    """The state alone, then the rows of its scope from the turn id ``first`` on.

    Turns whose gists another encoder made come without them.
    """
    yield Addition(state, IndexColumns.none(), {})
    mine = turns.c.model.in_(select(models.c.id).where(models.c.encoder == encoder))
    gists = case((mine, turns.c.gists), else_=literal(b""))
    query = select(turns.c.id, raw(turns.c.time_us), raw(gists))
    named: set[int] = set()
    for block in _joined(read_columns(connection, state.id, state.rules, max(first - 1, 0))):
        block = block.part(block.ids >= first)
        ids, times, made = _columns_of(connection, query, block.ids.tolist())
        if len(ids) != len(block.ids):  # damage
            block = block.part(np.isin(block.ids, ids))
        speaking = block.speakers.tolist()
        new = {*speaking} - named
        named |= new
        yield Addition(
            state,
            IndexColumns(ids, block.sessions.tolist(), speaking, times, made, block.terms),
            _hidden_speakers(connection, new),
        )


def _joined(blocks: Iterator[Columns]) -> Iterator[Columns]:
    """The same turns in fewer blocks."""
    some: list[Columns] = []
    for block in blocks:
        some.append(block)
        if sum(len(each.ids) for each in some) >= TURNS_AT_ONCE:
            yield Columns.join(some)
            some = []
    if some:
        yield Columns.join(some)


def _columns_of(
    connection: Connection, query: Select[Any], ids: list[int]
) -> tuple[Sequence[int], Sequence[int], Sequence[bytes]]:
    """Ids, times and gists of those of these turns that are there, in this order."""
    rows = list(_rows(connection, query, ids))
    if [row[0] for row in rows] != ids:  # turns of other scopes lie among them, or one is damaged
        there = {row[0]: row for row in rows}
        rows = [there[id_] for id_ in ids if id_ in there]
    found, times, gists = zip(*rows, strict=True) if rows else ((), (), ())
    return found, times, gists


def _rows(connection: Connection, query: Select[Any], ids: Sequence[int]) -> Iterator[Any]:
    # Of these turns, and where they lie close together of those among them.
    if ids and ids[-1] - ids[0] < MAX_GAPS * len(ids):
        yield from connection.execute(query.where(turns.c.id.between(ids[0], ids[-1]))).all()
        return
    for chunk in in_chunks(ids):
        yield from connection.execute(query.where(turns.c.id.in_(chunk))).all()


def _hidden_speakers(connection: Connection, rows: set[int]) -> dict[int, bytes]:
    hidden: dict[int, bytes] = {}
    for chunk in in_chunks([*rows]):
        names = connection.execute(
            select(speakers.c.id, speakers.c.hidden).where(speakers.c.id.in_(chunk))
        )
        hidden.update({row[0]: row[1] for row in names})
    return hidden
