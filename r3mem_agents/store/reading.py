"""Whole turns out of a database, also where damage has cut them off from their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.store.checksums import is_intact
from r3mem_agents.store.counts import Counts, read_counts
from r3mem_agents.store.membership import member_ids, terms_of
from r3mem_agents.store.records import (
    ExaminedTurn,
    Label,
    ModelId,
    Owned,
    Scope,
    ScopeState,
    Totals,
    TurnRow,
)
from r3mem_agents.store.schema import blocks, models, raw, scopes, sessions, speakers, turns
from r3mem_agents.store.writing import in_chunks

_SHOWN = (
    "id",
    "scope",
    "time_us",
    "offset_s",
    "model",
    "checksum",
    "gists",
    "key",
    "extra",
    "code",
)


def whole_turns(ids: Sequence[int]) -> Select[Any]:
    """These turns, in the order of writing; ``turn_row`` takes the rows."""
    return _select(()).where(turns.c.id.in_(ids)).order_by(turns.c.id)


def turn_row(scope: Scope, row: Row[Any]) -> TurnRow:
    """A row of ``whole_turns`` as a turn."""
    session = _label(row.session_digest, row.session_hidden)
    speaker = _label(row.speaker_digest, row.speaker_hidden)
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

    Turns whose row says that they are of another scope are among them, not intact, and so are those
    of which there is no row.

    Raises:
        StoreCorruptError: Nothing is where something must be: damage has cut all of it off.
    """
    wanted = None if session is None else {session}
    ids = member_ids(connection, state.id, state.rules, wanted)
    found = [
        turn if row.scope == state.id else turn._replace(intact=False)
        for chunk in in_chunks(ids)
        for row in connection.execute(whole_turns(chunk))
        for turn in [turn_row(scope, row)]
    ]
    known = session is None or connection.scalar(
        select(sessions.c.id).where(sessions.c.id == session)
    )
    if known and not found:
        raise StoreCorruptError(
            "no turn refers to a name that only turns bring in: a row's id is damaged; restore the "
            "file from a backup, or see what is left of it with: r3mem verify"
        )
    if len(found) < len(ids):
        lost = {*ids}.difference(turn.id for turn in found)
        found += [TurnRow._make((id_, *[None] * 8, False)) for id_ in sorted(lost)]
    return found


def owned(connection: Connection) -> list[Owned]:
    """What each user has with each agent, in the order in which they came."""
    counted = select(
        scopes.c.user,
        scopes.c.agent,
        scopes.c.hidden,
        func.count(turns.c.id),
        func.count(turns.c.session.distinct()),
    ).select_from(scopes.outerjoin(turns, turns.c.scope == scopes.c.id))
    rows = connection.execute(counted.group_by(scopes.c.id).order_by(scopes.c.id))
    return [Owned(Scope(*row[:3]), *row[3:]) for row in rows]


def totals(connection: Connection, state: ScopeState | None) -> Totals:
    """Sums over the turns of a scope; zeros where there is none."""
    if state is None:
        return Totals()
    ids = member_ids(connection, state.id, state.rules)
    codes = gists = 0
    counted: list[Counts] = []
    kept: set[int] = set()
    sizes = (func.length(turns.c[name]) for name in ("code", "gists"))
    query = select(raw(turns.c.session), raw(turns.c.counts), *sizes)
    for chunk in in_chunks(ids):
        for session, counts, code, gist in connection.execute(query.where(turns.c.id.in_(chunk))):
            kept.add(session)
            codes, gists = codes + code, gists + gist
            counted.append(read_counts(counts) or Counts())
    stored = select(func.sum(func.length(blocks.c.data))).where(blocks.c.scope == state.id)
    return Totals(
        turns=len(ids),
        sessions=len(kept),
        code_bytes=codes,
        gist_bytes=gists,
        term_bytes=int(connection.execute(stored).scalar_one() or 0),
        **{name: sum(getattr(one, name) for one in counted) for name in Counts._fields},
    )


def examined(connection: Connection, ids: Sequence[int]) -> Iterator[ExaminedTurn]:
    """These turns of anybody, with what is needed to check them."""
    owners = {name: scopes.c[name] for name in ("user", "agent", "hidden")}
    makers = {name: models.c[name] for name in ModelId._fields}
    extra = (
        *(raw(column).label(f"model_{name}") for name, column in makers.items()),
        *(raw(column).label(f"owner_{name}") for name, column in owners.items()),
        raw(turns.c.counts).label("counts"),
        raw(scopes.c.rules).label("rules"),
        ((sessions.c.scope == turns.c.scope) & (speakers.c.scope == turns.c.scope)).label("agree"),
    )
    for chunk in in_chunks(ids):
        query = _select(extra, whole=True).where(turns.c.id.in_(chunk))
        rows = connection.execute(query.order_by(turns.c.id)).all()
        terms = {
            scope: terms_of(connection, scope, [row.id for row in rows if row.scope == scope])
            for scope in {row.scope for row in rows if isinstance(row.scope, int)}
        }
        for row in rows:
            scope = Scope(row.owner_user, row.owner_agent, row.owner_hidden)
            model = ModelId(row.model_name, row.model_expander, row.model_encoder)
            turn = turn_row(scope, row)
            counts = read_counts(row.counts)
            yield ExaminedTurn(
                row=turn._replace(intact=turn.intact and bool(row.agree)),
                scope=None if None in scope[:2] else scope,
                model=None if None in model else model,
                terms=terms.get(row.scope, {}).get(row.id),
                rules=row.rules,
                text_bytes=None if counts is None else counts.text_bytes,
            )


def unused_names(connection: Connection) -> list[str]:
    """Names that no turn refers to: they go with their last turn, so a row id is damaged."""
    loose: list[str] = []
    for table in (scopes, sessions, speakers):
        column = turns.c[table.name.removesuffix("s")]
        unused = select(table.c.id).where(table.c.id.not_in(select(column)))
        for row in connection.execute(unused).scalars():
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
            for part in ("digest", "hidden")
        ),
        *more,
    )
    if whole:
        source = source.outerjoin(scopes, scopes.c.id == turns.c.scope)
        source = source.outerjoin(models, models.c.id == turns.c.model)
    return select(*columns).select_from(source)


def _label(digest: bytes | None, hidden: bytes | None) -> Label | None:
    return None if digest is None or hidden is None else Label(digest, hidden)
