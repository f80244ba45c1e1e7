"""What a lookup's index reads of a scope, in parts, so that little of it is held at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from r3mem_agents.store.blocks import Columns
from r3mem_agents.store.membership import read_columns
from r3mem_agents.store.records import Addition, IndexColumns, ScopeState
from r3mem_agents.store.rows import GIVEN, id_list

TURNS_AT_ONCE = 4096
"""Turns of a part, at least; chosen, so that calls take less time than rows."""

MAX_GAPS = 3
"""Rows that are passed over for each that is wanted, before each is looked up by its id; chosen."""


def additions(
    connection: sqlite3.Connection, state: ScopeState, first: int, encoder: str
) -> Iterator[Addition]:
    """The state alone, then the rows of its scope from the turn id ``first`` on.

    Turns whose gists another encoder made come without them.
    """
    yield Addition(state, IndexColumns.none(), {})
    named: set[int] = set()
    for block in _joined(read_columns(connection, state.id, state.rules, max(first - 1, 0))):
        block = block.part(block.ids >= first)
        ids, times, made = _columns_of(connection, encoder, block.ids.tolist())
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
    connection: sqlite3.Connection, encoder: str, ids: list[int]
) -> tuple[Sequence[int], Sequence[int], Sequence[bytes]]:
    """Ids, times and gists of those of these turns that are there, in this order."""
    rows = _rows(connection, encoder, ids)
    if [row[0] for row in rows] != ids:  # turns of other scopes lie among them, or one is damaged
        there = {row[0]: row for row in rows}
        rows = [there[id_] for id_ in ids if id_ in there]
    found, times, gists = zip(*rows, strict=True) if rows else ((), (), ())
    return found, times, gists


_SELECT = (
    "SELECT turns.id, time_us,"
    " CASE WHEN model IN (SELECT id FROM models WHERE encoder = ?) THEN gists ELSE x'' END"
)


def _rows(connection: sqlite3.Connection, encoder: str, ids: Sequence[int]) -> list[Any]:
    # Of these turns, and where they lie close together of those among them.
    if ids and ids[-1] - ids[0] < MAX_GAPS * len(ids):
        query = f"{_SELECT} FROM turns WHERE id BETWEEN ? AND ? ORDER BY id"
        return connection.execute(query, (encoder, ids[0], ids[-1])).fetchall()
    return connection.execute(f"{_SELECT} FROM {GIVEN}", (encoder, id_list(ids))).fetchall()


def _hidden_speakers(connection: sqlite3.Connection, rows: set[int]) -> dict[int, bytes]:
    query = "SELECT id, hidden FROM speakers WHERE id IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(query, (id_list(rows),)))
