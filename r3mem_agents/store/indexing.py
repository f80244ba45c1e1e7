"""What a lookup's index reads of a scope, in parts, so that little of it is held at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, case, literal, select

from r3mem_agents.store.membership import read_blocks
from r3mem_agents.store.records import Addition, IndexColumns, ScopeState
from r3mem_agents.store.schema import models, raw, speakers, turns
from r3mem_agents.store.writing import in_chunks


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
        there: dict[int, tuple[Any, Any]] = {}
        for chunk in in_chunks(block.ids):
            rows = connection.execute(query.where(turns.c.id.in_(chunk)))
            there.update((id_, (time_us, gist)) for id_, time_us, gist in rows)
        if len(there) < len(block):  # damage aside, there are all of them
            block = block.part([place for place, id_ in enumerate(block.ids) if id_ in there])
        times, made = zip(*(there[id_] for id_ in block.ids), strict=True) if there else ((), ())
        new = {*block.speakers} - named
        named |= new
        yield Addition(
            state,
            IndexColumns(block.ids, block.sessions, block.speakers, times, made, block.terms),
            _hidden_speakers(connection, new),
        )


def _hidden_speakers(connection: Connection, rows: set[int]) -> dict[int, bytes]:
    hidden: dict[int, bytes] = {}
    for chunk in in_chunks([*rows]):
        names = connection.execute(
            select(speakers.c.id, speakers.c.hidden).where(speakers.c.id.in_(chunk))
        )
        hidden.update({row[0]: row[1] for row in names})
    return hidden
