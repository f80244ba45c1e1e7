"""What a lookup's index reads of a scope, in parts, so that little of it is held at once."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, case, literal, select

from r3mem_agents.store.records import Addition, IndexColumns, ScopeState
from r3mem_agents.store.schema import models, raw, speakers, turns
from r3mem_agents.store.writing import in_chunks

ROWS_AT_ONCE = 1_000

_COLUMNS = ("id", "session", "speaker", "time_us")


def additions(
    connection: Connection, state: ScopeState, first: int, encoder: str
) -> Iterator[Addition]:
    """The state alone, then the rows of its scope from the turn id ``first`` on.

    Turns whose gists another encoder made come without them.
    """
    yield Addition(state, IndexColumns((), (), (), (), (), ()), {})
    mine = turns.c.model.in_(select(models.c.id).where(models.c.encoder == encoder))
    gists = case((mine, turns.c.gists), else_=literal(b""))
    query = (
        select(*(raw(turns.c[name]) for name in _COLUMNS), raw(gists), raw(turns.c.terms))
        .where(turns.c.scope == state.id, turns.c.id >= first)
        .order_by(turns.c.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    named: set[int] = set()
    for part in connection.execute(query).partitions():
        rows = IndexColumns(*zip(*part, strict=True))
        new = {row for row in rows.speakers if isinstance(row, int)} - named  # damage aside
        named |= new
        yield Addition(state, rows, _sealed_speakers(connection, new))


def _sealed_speakers(connection: Connection, rows: set[int]) -> dict[int, bytes]:
    sealed: dict[int, bytes] = {}
    for chunk in in_chunks([row for row in rows if isinstance(row, int)]):  # others are damaged
        names = connection.execute(
            select(speakers.c.id, speakers.c.sealed).where(speakers.c.id.in_(chunk))
        )
        sealed.update({row[0]: row[1] for row in names})
    return sealed
