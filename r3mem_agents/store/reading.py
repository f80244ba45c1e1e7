"""Whole turns out of a database, also where damage has cut them off from their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.store.checksums import is_intact
from r3mem_agents.store.records import (
    ExaminedTurn,
    Label,
    ModelId,
    Owned,
    Scope,
    ScopeState,
    TurnRow,
)
from r3mem_agents.store.schema import models, raw, scopes, sessions, speakers, turns
from r3mem_agents.store.writing import in_chunks

_SHOWN = ("id", "time_us", "offset_s", "code", "gists", "key", "extra", "model", "checksum")


def whole_turns(scope_id: int) -> Select[Any]:
    """The turns of a scope, in the order of writing; ``turn_row`` takes the rows."""
    return _select(()).where(turns.c.scope == scope_id).order_by(turns.c.id)


def turn_row(scope: Scope, row: Row[Any]) -> TurnRow:
    """A row of ``whole_turns`` as a turn."""
    session = _label(row.session_digest, row.session_sealed)
    speaker = _label(row.speaker_digest, row.speaker_sealed)
    return TurnRow(
        id=row.id,
        session=session,
        speaker=speaker,
        time_us=row.time_us,
        offset_s=row.offset_s,
        code=row.code,
        gists=row.gists,
        key=row.key,
        extra=row.extra,
        intact=is_intact(scope, session, speaker, row),
    )


def history(
    connection: Connection, scope: Scope, state: ScopeState, session: int | None
) -> list[TurnRow]:
    """Every turn of a scope, or of one of its sessions, in the order of writing.

    Turns that only their session knows to be of the scope are among them, not intact: damage has
    cut them off.

    Raises:
        StoreCorruptError: Nothing is where something must be: damage has cut all of it off.
    """
    query, strays = whole_turns(state.id), _strays(state)
    if session is not None:
        query = query.where(turns.c.session == session)
        strays = strays.where(turns.c.session == session)
    found = [turn_row(scope, row) for row in connection.execute(query)]
    lost = [turn_row(scope, row)._replace(intact=False) for row in connection.execute(strays)]
    known = session is None or connection.scalar(
        select(sessions.c.id).where(sessions.c.id == session)
    )
    if known and not found and not lost:
        raise StoreCorruptError(
            "no turn refers to a name that only turns bring in: a row's id is damaged; restore the "
            "file from a backup, or see what is left of it with: r3mem verify"
        )
    return sorted(found + lost) if lost else found


def owned(connection: Connection) -> list[Owned]:
    """What each user has with each agent, in the order in which they came."""
    counted = select(
        scopes.c.user,
        scopes.c.agent,
        scopes.c.sealed,
        func.count(turns.c.id),
        func.count(turns.c.session.distinct()),
    ).select_from(scopes.outerjoin(turns, turns.c.scope == scopes.c.id))
    rows = connection.execute(counted.group_by(scopes.c.id).order_by(scopes.c.id))
    return [Owned(Scope(*row[:3]), *row[3:]) for row in rows]


def examined(connection: Connection, ids: Sequence[int]) -> Iterator[ExaminedTurn]:
    """These turns of anybody, with what is needed to check them."""
    owners = {name: scopes.c[name] for name in ("user", "agent", "sealed")}
    makers = {name: models.c[name] for name in ModelId._fields}
    extra = (
        *(raw(column).label(f"model_{name}") for name, column in makers.items()),
        *(raw(column).label(f"owner_{name}") for name, column in owners.items()),
        *(raw(turns.c[name]) for name in ("terms", "text_bytes")),
        raw(scopes.c.rules).label("rules"),
        ((sessions.c.scope == turns.c.scope) & (speakers.c.scope == turns.c.scope)).label("agree"),
    )
    for chunk in in_chunks(ids):
        query = _select(extra, whole=True).where(turns.c.id.in_(chunk))
        for row in connection.execute(query.order_by(turns.c.id)):
            scope = Scope(row.owner_user, row.owner_agent, row.owner_sealed)
            model = ModelId(row.model_name, row.model_expander, row.model_encoder)
            turn = turn_row(scope, row)
            yield ExaminedTurn(
                row=turn._replace(intact=turn.intact and bool(row.agree)),
                scope=None if None in scope else scope,
                model=None if None in model else model,
                terms=row.terms,
                rules=row.rules,
                text_bytes=row.text_bytes,
            )


def unused_names(connection: Connection) -> list[str]:
    """Names that no turn refers to: they go with their last turn, so a row id is damaged."""
    loose: list[str] = []
    for table in (scopes, sessions, speakers):
        column = turns.c[table.name.removesuffix("s")]
        used = select(turns.c.id).where(column == table.c.id).exists()
        for row in connection.execute(select(table.c.id).where(~used)).scalars():
            loose.append(f"row {row} of {table.name}: no turn refers to it")
    return loose


def _select(more: Sequence[ColumnElement[Any]], *, whole: bool = False) -> Select[Any]:
    # With the rows of its scope and model too, if ``whole``.
    source = turns.outerjoin(sessions, turns.c.session == sessions.c.id).outerjoin(
        speakers, turns.c.speaker == speakers.c.id
    )
    names = {"session": sessions, "speaker": speakers}
    columns = (
        *(raw(turns.c[name]).label(name) for name in _SHOWN),
        *(
            raw(table.c[part]).label(f"{name}_{part}")
            for name, table in names.items()
            for part in ("digest", "sealed")
        ),
        *more,
    )
    if whole:
        source = source.outerjoin(scopes, scopes.c.id == turns.c.scope)
        source = source.outerjoin(models, models.c.id == turns.c.model)
    return select(*columns).select_from(source)


def _strays(state: ScopeState) -> Select[Any]:
    return _select(()).where(sessions.c.scope == state.id, turns.c.scope != state.id)


def _label(digest: bytes | None, sealed: bytes | None) -> Label | None:
    return None if digest is None or sealed is None else Label(digest, sealed)
