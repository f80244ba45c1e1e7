"""What a write transaction does: find or make the rows that turns refer to, add, clean up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Select,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from r3mem_agents.errors import KeyTakenError, NotFoundError, StaleTermsError
from r3mem_agents.store.blocks import Block
from r3mem_agents.store.checksums import turn_checksum
from r3mem_agents.store.counts import pack_counts
from r3mem_agents.store.membership import (
    add_members,
    member_ids,
    rebuild_blocks,
    remove_members,
    replace_members,
    used_names,
)
from r3mem_agents.store.records import Label, NewTurn, Scope, ScopeState
from r3mem_agents.store.schema import scopes, sessions, speakers, turns

CHUNK = 500
"""Values in one IN (...); older SQLite takes at most 999 parameters in a statement."""

MAX_ID = 2**63 - 1
"""Databases hold no greater integer."""

T = TypeVar("T")


def in_chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut a list into parts that fit one statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def possible_ids(ids: Iterable[int]) -> list[int]:
    """Those of some numbers that may be ids: a database has no greater ones."""
    return [id_ for id_ in ids if 0 < id_ <= MAX_ID]


def find_scope(connection: Connection, scope: Scope, *, lock: bool = False) -> ScopeState | None:
    """The row of a scope, if it has ever been written to.

    Args:
        connection: Inside a transaction.
        scope: Whose.
        lock: Keep other writers of the scope out until the end of the transaction, so that ids
            become visible in ascending order. SQLite has a single writer anyway.
    """
    query = select(scopes.c.id, scopes.c.changes, scopes.c.rules).where(
        scopes.c.user == scope.user, scopes.c.agent == scope.agent
    )
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else ScopeState._make(row)


def check_rules(state: ScopeState | None, rules: bytes) -> None:
    """See that a scope's terms were made by these rules.

    Raises:
        StaleTermsError: They were not.
    """
    if state is not None and state.rules != rules:
        raise StaleTermsError("other rules made the terms of these turns; make them anew")


def add_turns(
    connection: Connection, scope: Scope, new: Sequence[NewTurn], model: int, rules: bytes
) -> list[int]:
    """Insert turns and the rows that they refer to; returns the ids in the order given.

    Args:
        connection: Inside a write transaction.
        scope: Whose.
        new: The turns.
        model: Row of what made their memory tokens.
        rules: Digest of those that made their terms.

    Raises:
        KeyTakenError: A session holds the key of one of its turns already.
    """
    state = find_scope(connection, scope, lock=True)
    if state is None:
        values = {**scope._asdict(), "changes": 0, "rules": rules, "turns": 0}
        made = connection.execute(insert(scopes).values(values).returning(scopes.c.id))
        state = ScopeState(made.scalar_one(), 0, rules)
    session_ids = _label_ids(connection, sessions, state.id, (turn.session for turn in new))
    speaker_ids = _label_ids(connection, speakers, state.id, (turn.speaker for turn in new))
    rows = [
        _values(scope, turn, model)
        | {
            "scope": state.id,
            "session": session_ids[turn.session.digest],
            "speaker": speaker_ids[turn.speaker.digest],
        }
        for turn in new
    ]
    try:
        ids = list(
            connection.execute(
                insert(turns).returning(turns.c.id, sort_by_parameter_order=True), rows
            ).scalars()
        )
    except IntegrityError as error:
        raise KeyTakenError("a session holds the key of one of these turns already") from error
    sessions_, speakers_ = ([row[name] for row in rows] for name in ("session", "speaker"))
    terms = [turn.terms for turn in new]
    add_members(connection, state.id, Block(ids, sessions_, speakers_, terms))
    return ids


def edit_turns(
    connection: Connection, scope: Scope, edits: Mapping[int, NewTurn], model: int
) -> None:
    """Let stored turns, by id, be others that a model wrote; their session and key stay.

    Raises:
        NotFoundError: If one of them does not exist.
    """
    state = find_scope(connection, scope, lock=True)
    if state is None:
        raise NotFoundError("a turn to edit does not exist any more")
    speaker_ids = _label_ids(
        connection, speakers, state.id, (one.speaker for one in edits.values())
    )
    changed = Block()
    for id_, turn in edits.items():
        values = _values(scope, turn, model) | {"speaker": speaker_ids[turn.speaker.digest]}
        del values["key"]
        mine = update(turns).where(turns.c.scope == state.id, turns.c.id == id_)
        if not connection.execute(mine.values(values)).rowcount:
            raise NotFoundError(f"turn {id_} does not exist any more")
        changed.extend(Block([id_], [0], [values["speaker"]], [turn.terms]))
    replace_members(connection, state.id, changed)


def _values(scope: Scope, turn: NewTurn, model: int) -> dict[str, Any]:
    # All columns of its row but those that refer to other rows.
    return {
        "model": model,
        "time_us": turn.time_us,
        "offset_s": turn.offset_s,
        "counts": pack_counts(turn),
        "checksum": turn_checksum(scope, turn.session, turn.speaker, model, turn),
        "gists": turn.gists,
        "key": turn.key,
        "extra": turn.extra,
        "code": turn.code,
    }


def renew_terms(
    connection: Connection, scope: Scope, terms: Mapping[int, bytes | None], rules: bytes
) -> bool:
    """Let every turn of a scope have terms that these rules made.

    Args:
        connection: Inside a write transaction.
        scope: Whose.
        terms: By turn id; ``None`` leaves them as they are.
        rules: Digest of the rules.

    Returns:
        False, and nothing is done, if there are turns that ``terms`` does not name.
    """
    state = find_scope(connection, scope, lock=True)
    if state is None:
        return True
    if not terms.keys() >= {*member_ids(connection, state.id, state.rules)}:
        return False
    rebuild_blocks(connection, state.id, terms)
    connection.execute(
        update(scopes).where(scopes.c.id == state.id).values(changes=state.changes + 1, rules=rules)
    )
    return True


def select_session(scope: Scope, digest: bytes) -> Select[tuple[int]]:
    """The row id of a session, by the keyed hash of its name."""
    return (
        select(sessions.c.id)
        .join(scopes, sessions.c.scope == scopes.c.id)
        .where(
            scopes.c.user == scope.user,
            scopes.c.agent == scope.agent,
            sessions.c.digest == digest,
        )
    )


def remove_keyed(connection: Connection, scope: Scope, new: Sequence[NewTurn]) -> int:
    """Remove the turns that have the session and the key of one of these; returns how many."""
    keys: dict[bytes, list[bytes]] = {}
    for turn in new:
        if turn.key is not None:
            keys.setdefault(turn.session.digest, []).append(turn.key)
    gone = 0
    for digest, mine in keys.items():
        session = select_session(scope, digest).scalar_subquery()
        for chunk in in_chunks(mine):
            held = select(turns.c.id).where(turns.c.session == session, turns.c.key.in_(chunk))
            gone += remove_turns(connection, scope, list(connection.execute(held).scalars()))
    return gone


def _label_ids(
    connection: Connection, table: Table, scope_id: int, labels: Iterable[Label]
) -> dict[bytes, int]:
    wanted = {label.digest: label.hidden for label in labels}
    known: dict[bytes, int] = {}
    for chunk in in_chunks(list(wanted)):
        rows = connection.execute(
            select(table.c.digest, table.c.id).where(
                table.c.scope == scope_id, table.c.digest.in_(chunk)
            )
        )
        known.update({row[0]: row[1] for row in rows})
    for digest, hidden in wanted.items():
        if digest not in known:
            made = connection.execute(
                insert(table)
                .values(scope=scope_id, digest=digest, hidden=hidden)
                .returning(table.c.id)
            )
            known[digest] = made.scalar_one()
    return known


def existing_turns(connection: Connection, scope: Scope, ids: Sequence[int]) -> set[int]:
    """Those of some ids that are of turns of a scope, also where damage has left only the id."""
    state = find_scope(connection, scope)
    possible = {*possible_ids(ids)}
    if state is None or not possible:
        return set()
    mine = select(turns.c.id).where(turns.c.scope == state.id)
    found = {
        id_
        for chunk in in_chunks([*possible])
        for id_ in connection.execute(mine.where(turns.c.id.in_(chunk))).scalars()
    }
    if found != possible:
        found |= possible.intersection(member_ids(connection, state.id, state.rules))
    return found


def remove_turns(connection: Connection, scope: Scope, ids: Sequence[int]) -> int:
    """Remove those of some turns that exist; returns how many."""
    doomed = sorted(existing_turns(connection, scope, ids)) if ids else []
    for chunk in in_chunks(doomed):
        connection.execute(delete(turns).where(turns.c.id.in_(chunk)))
    state = find_scope(connection, scope)
    if state is not None and doomed:
        remove_members(connection, state.id, doomed)
    return len(doomed)


def delete_unused(connection: Connection, scope: Scope) -> bool:
    """Remove what no turn refers to any more, names first of all; outdate cached copies.

    Returns:
        Whether the scope has turns left.
    """
    state = find_scope(connection, scope)
    assert state is not None, "a scope of which turns were deleted exists"
    used = used_names(connection, state.id, state.rules)
    for table, kept in zip((sessions, speakers), used, strict=True):
        named = connection.execute(select(table.c.id).where(table.c.scope == state.id)).scalars()
        for chunk in in_chunks([row for row in named if row not in kept]):
            connection.execute(delete(table).where(table.c.id.in_(chunk)))
    if not any(used):
        connection.execute(delete(scopes).where(scopes.c.id == state.id))
        return False
    connection.execute(
        update(scopes).where(scopes.c.id == state.id).values(changes=scopes.c.changes + 1)
    )
    return True
