"""What a lookup's index reads of a scope, in parts, so that little of it is held at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, case, literal, select

from r3mem_agents.store.membership import read_blocks
from r3mem_agents.store.records import Addition, IndexColumns, ScopeState
from r3mem_agents.store.schema import models, raw, speakers, turns
from r3mem_agents.store.writing import in_chunks

MAX_GAPS = 3
"""Rows that are passed over for each that is wanted, before each is looked up by its id; chosen."""


def additions(
    connection: Connection, state: ScopeState, first: int, encoder: str
) -> Iterator[Addition]:
    """The state alone, then the rows of its scope from the turn id ``first`` on.

    Turns whose gists another encoder made come without them.
    """
    yield Addition(state, IndexColumns((), (), (), (), (), ()), {})
    mine = turns.c.model.in_(select(models.c.id).where(models.c.encoder == encoder))
    gists = case((mine, turns.c.gists), else_=literal(b""))
    query = select(turns.c.id, raw(turns.c.time_us), raw(gists))
    named: set[int] = set()
    for block in read_blocks(connection, state.id, state.rules, max(first - 1, 0)):
        block = block.part([place for place, id_ in enumerate(block.ids) if id_ >= first])
        there = {row[0]: row for row in _rows(connection, query, block.ids)}
        if missing := {*block.ids} - there.keys():  # none, damage aside
            kept = [place for place, id_ in enumerate(block.ids) if id_ not in missing]
            block = block.part(kept)
        rows = [there[id_] for id_ in block.ids]
        times, made = [row[1] for row in rows], [row[2] for row in rows]
        new = {*block.speakers} - named
        named |= new
        yield Addition(
            state,
            IndexColumns(block.ids, block.sessions, block.speakers, times, made, block.terms),
            _hidden_speakers(connection, new),
        )


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
