"""What a lookup's index reads of a scope, in parts, so that little of it is held at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from r3mem_agents.store.blocks import Columns
from r3mem_agents.store.marks import read_marks
from r3mem_agents.store.membership import read_blocks
from r3mem_agents.store.records import Addition, IndexColumns, ScopeState
from r3mem_agents.store.rows import GIVEN, id_list
from r3mem_agents.store.varints import Integers

TURNS_AT_ONCE = 4096
"""Blocks of fewer turns are read together up to so many; chosen, so that calls take less time than
turns."""

MAX_GAPS = 3
"""Rows that are passed over for each that is wanted, before each is looked up by its id; chosen."""


class _Values(NamedTuple):
    """What a lookup reads of turns themselves, as of ``IndexColumns``."""

    times_us: Integers
    gists: bytes
    gist_sizes: Integers

    @classmethod
    def of(cls, each: Sequence[tuple[int, bytes]]) -> _Values:
        """Those of turns, by the time and the gists of each."""
        times = np.array([time for time, _ in each], np.int64)
        sizes = np.array([len(gists) for _, gists in each], np.int64)
        return cls(times, b"".join(gists for _, gists in each), sizes)


def additions(
    connection: sqlite3.Connection, state: ScopeState, first: int, first_mark: int, encoder: str
) -> Iterator[Addition]:
    """The state alone with marks, then the rows of its scope from the turn id ``first`` on.

    Turns whose gists another encoder made come without them.

    Args:
        connection: Inside a transaction.
        state: Of the scope.
        first: Least id of the turns.
        first_mark: Least id of the turns whose marks are wanted.
        encoder: Fingerprint of the encoder.
    """
    yield Addition(state, IndexColumns.none(), {}, read_marks(connection, state.id, first_mark))
    gists = _own_gists(connection, encoder)
    named: set[int] = set()
    for block in _joined(read_blocks(connection, state.id, state.rules, max(first - 1, 0))):
        block = block.part(block.ids >= first)
        rows, unsound = _columns_of(connection, state.id, gists, block)
        new = {*rows.speakers.tolist()} - named
        named |= new
        yield Addition(state, rows, _hidden_speakers(connection, new), unsound=unsound)


def _own_gists(connection: sqlite3.Connection, encoder: str) -> str:
    # What gives a turn's gists where this encoder made them, and none elsewhere.
    others = connection.execute("SELECT id FROM models WHERE encoder != ?", (encoder,)).fetchall()
    if not others:  # as nearly always, and then no turn is asked for its model
        return "gists"
    return (
        f"CASE WHEN model IN ({', '.join(str(row) for (row,) in others)}) THEN x'' ELSE gists END"
    )


def _joined(blocks: Iterator[Columns]) -> Iterator[Columns]:
    """The same turns in fewer blocks."""
    some: list[Columns] = []
    for block in blocks:
        if some and sum(map(len, some)) + len(block) > TURNS_AT_ONCE:
            yield Columns.join(some)
            some = []
        some.append(block)
    if some:
        yield Columns.join(some)


def _columns_of(
    connection: sqlite3.Connection, scope: int, gists: str, block: Columns
) -> tuple[IndexColumns, list[int]]:
    """What an index holds of the turns of a block, and ids of those that damage has left out."""
    ids = block.ids.tolist()
    unsound: list[int] = []
    found = _concatenated(connection, scope, gists, ids)
    if found is None:
        there, unsound = _one_by_one(connection, gists, ids)
        block = block.part(np.isin(block.ids, [*there]))
        found = _Values.of([there[id_] for id_ in block.ids.tolist()])
    rows = IndexColumns(block.ids, block.sessions, block.speakers, *found, block.terms)
    return rows, unsound


def _concatenated(
    connection: sqlite3.Connection, scope: int, gists: str, ids: Sequence[int]
) -> _Values | None:
    # Times, gists and their sizes of these turns, a string each out of SQLite, which takes a third
    # of the time that rows take. Nothing where other turns lie among them, or one is damaged.
    if not ids or ids[-1] - ids[0] >= MAX_GAPS * len(ids):
        return None
    row = connection.execute(
        f"SELECT sum(id - ?1), sum(typeof(time_us) = 'integer'),"
        f" group_concat(time_us), CAST(group_concat({gists}, '') AS BLOB),"
        f" group_concat(length({gists})) FROM turns WHERE id BETWEEN ?1 AND ?2 AND scope = ?3",
        (ids[0], ids[-1], scope),
    ).fetchone()
    if None in row or row[:2] != (sum(ids) - ids[0] * len(ids), len(ids)):
        return None
    times, sizes = (np.fromstring(text, np.int64, sep=",") for text in (row[2], row[4]))
    whole = len(sizes) == len(ids) and sizes.sum() == len(row[3])
    return _Values(times, row[3], sizes) if whole else None


def _one_by_one(
    connection: sqlite3.Connection, gists: str, ids: Sequence[int]
) -> tuple[dict[int, tuple[int, bytes]], list[int]]:
    # The same of those of these turns that are there, by id, and ids of those without.
    there: dict[int, tuple[int, bytes]] = {}
    unsound: list[int] = []
    query = f"SELECT turns.id, time_us, {gists} FROM {GIVEN}"
    for id_, time, made in connection.execute(query, (id_list(ids),)):
        if isinstance(time, int) and isinstance(made, bytes):
            there[id_] = time, made
        else:
            unsound.append(id_)
    return there, unsound


def _hidden_speakers(connection: sqlite3.Connection, rows: set[int]) -> dict[int, bytes]:
    query = "SELECT id, hidden FROM speakers WHERE id IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(query, (id_list(rows),)))
