"""What a write transaction writes: turns, new and edited, and the rows that they refer to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from r3mem_agents.errors import KeyTakenError, NotFoundError, StaleTermsError
from r3mem_agents.store.blocks import Columns
from r3mem_agents.store.checksums import turn_checksum
from r3mem_agents.store.counts import pack_counts
from r3mem_agents.store.marks import change_marks, marks_of, write_marks
from r3mem_agents.store.membership import (
    add_members,
    member_ids,
    rebuild_blocks,
    replace_members,
    terms_of,
)
from r3mem_agents.store.reading import whole_turns
from r3mem_agents.store.records import UNMARKED, Label, Mark, NewTurn, Scope, ScopeState, TurnRow
from r3mem_agents.store.rows import inserted


def find_scope(connection: sqlite3.Connection, scope: Scope) -> ScopeState | None:
    """The row of a scope, if it has ever been written to."""
    row = connection.execute(
        "SELECT id, changes, rules, marks FROM scopes WHERE user = ? AND agent = ?", scope[:2]
    ).fetchone()
    return None if row is None else ScopeState._make(row)


def add_scope(connection: sqlite3.Connection, scope: Scope, rules: bytes) -> ScopeState:
    """Make the row of a scope.

    Args:
        connection: Inside a write transaction.
        scope: Whose.
        rules: Digest of those that will make its terms.
    """
    row = inserted(
        connection,
        "INSERT INTO scopes (user, agent, hidden, changes, rules) VALUES (?, ?, ?, 0, ?)",
        (*scope, rules),
    )
    return ScopeState(row, 0, rules)


def check_rules(state: ScopeState | None, rules: bytes) -> None:
    """See that a scope's terms were made by these rules.

    Raises:
        StaleTermsError: They were not.
    """
    if state is not None and state.rules != rules:
        raise StaleTermsError("other rules made the terms of these turns; make them anew")


def add_turns(
    connection: sqlite3.Connection, scope: Scope, row: int, new: Sequence[NewTurn], model: int
) -> list[int]:
    """Insert turns and the rows that they refer to; returns the ids in the order given.

    Args:
        connection: Inside a write transaction.
        scope: Whose.
        row: Of the scope.
        new: The turns.
        model: Row of what made their memory tokens.

    Raises:
        KeyTakenError: A session holds the key of one of its turns already.
    """
    by_session = _label_rows(connection, "sessions", row, (turn.session for turn in new))
    by_speaker = _label_rows(connection, "speakers", row, (turn.speaker for turn in new))
    sessions = [by_session[turn.session.digest] for turn in new]
    speakers = [by_speaker[turn.speaker.digest] for turn in new]
    ids: list[int] = []
    try:
        for turn, session, speaker in zip(new, sessions, speakers, strict=True):
            values = (row, session, turn.key, speaker, *_values(scope, turn, model))
            ids.append(inserted(connection, _INSERT, values))
    except sqlite3.IntegrityError as error:
        raise KeyTakenError("a session holds the key of one of these turns already") from error
    terms = [turn.terms for turn in new]
    add_members(connection, row, Columns.of(ids, sessions, speakers, terms))
    mortal = {
        id_: Mark(expires_us=turn.expires_us)
        for id_, turn in zip(ids, new, strict=True)
        if turn.expires_us is not None
    }
    if mortal:  # most turns have no marks
        write_marks(connection, row, mortal)
    return ids


_CHANGED = (
    "speaker",
    "model",
    "time_us",
    "offset_s",
    "counts",
    "checksum",
    "gists",
    "extra",
    "code",
)
"""Columns that an edit changes."""

_INSERT = (
    f'INSERT INTO turns (scope, session, "key", {", ".join(_CHANGED)})'
    f" VALUES ({', '.join('?' * (3 + len(_CHANGED)))})"
)

_UPDATE = f"UPDATE turns SET {' = ?, '.join(_CHANGED)} = ? WHERE scope = ? AND id = ?"


def _values(scope: Scope, turn: NewTurn, model: int) -> tuple[Any, ...]:
    # Of the columns that an edit changes, after the speaker.
    counts = pack_counts(turn)
    checksum = turn_checksum(scope, turn.session, turn.speaker, model, turn)
    numbers = (model, turn.time_us, turn.offset_s)
    return *numbers, counts, checksum, turn.gists, turn.extra, turn.code


def edit_turns(
    connection: sqlite3.Connection,
    scope: Scope,
    row: int,
    edits: Mapping[int, NewTurn],
    model: int,
) -> None:
    """Let stored turns, by id, be others that a model wrote; session, key and pin stay.

    Args:
        connection: Inside a write transaction.
        scope: Whose.
        row: Of the scope.
        edits: What they are from now on.
        model: Row of what made their memory tokens.

    Raises:
        NotFoundError: If one of them does not exist.
    """
    by_speaker = _label_rows(connection, "speakers", row, (one.speaker for one in edits.values()))
    for id_, turn in edits.items():
        speaker = by_speaker[turn.speaker.digest]
        values = (speaker, *_values(scope, turn, model), row, id_)
        if not connection.execute(_UPDATE, values).rowcount:
            raise NotFoundError(f"turn {id_} does not exist any more")
    speakers = [by_speaker[turn.speaker.digest] for turn in edits.values()]
    terms = [turn.terms for turn in edits.values()]
    changed = Columns.of([*edits], [0] * len(edits), speakers, terms)
    replace_members(connection, row, changed)
    set_expiries(connection, row, {id_: turn.expires_us for id_, turn in edits.items()})


def set_expiries(
    connection: sqlite3.Connection, scope: int, expiries: Mapping[int, int | None]
) -> None:
    """Say when turns expire, by their ids; ``None`` for never.

    Args:
        connection: Inside a write transaction.
        scope: Row of the scope.
        expiries: As of ``Mark``.
    """
    before = marks_of(connection, scope, expiries)
    after = {
        turn: before.get(turn, UNMARKED)._replace(expires_us=expires)
        for turn, expires in expiries.items()
    }
    if changed := {
        turn: mark for turn, mark in after.items() if mark != before.get(turn, UNMARKED)
    }:
        change_marks(connection, scope, changed)


def keep_version(
    connection: sqlite3.Connection, scope: Scope, state: ScopeState, turn: TurnRow, now_us: int
) -> None:
    """Copy a turn that is about to be edited, as an earlier text of it.

    Args:
        connection: Inside a write transaction.
        scope: Whose.
        state: Of the scope.
        turn: The turn.
        now_us: The time until which the text held.

    Raises:
        StaleTermsError: Its terms are damaged.
    """
    terms = terms_of(connection, state.id, [turn.id])
    if turn.id not in terms:
        raise StaleTermsError("the terms of this turn are damaged; make them anew")
    session, speaker, model, counts = connection.execute(
        "SELECT session, speaker, model, counts FROM turns WHERE id = ?", (turn.id,)
    ).fetchone()
    assert turn.session is not None and turn.speaker is not None, "it was read whole"
    checksum = turn_checksum(scope, turn.session, turn.speaker, model, turn._replace(key=None))
    rest = (model, turn.time_us, turn.offset_s, counts, checksum, turn.gists, turn.extra, turn.code)
    copy = inserted(connection, _INSERT, (state.id, session, None, speaker, *rest))
    members = Columns.of([copy], [session], [speaker], [terms[turn.id]])
    add_members(connection, state.id, members)
    write_marks(connection, state.id, {copy: Mark(version_of=turn.id, replaced_us=now_us)})


def current_turn(connection: sqlite3.Connection, scope: Scope, row: int, turn: int) -> TurnRow:
    """A turn as it is now.

    Args:
        connection: Inside a transaction.
        scope: Whose it is.
        row: Of the scope.
        turn: Its id.

    Raises:
        NotFoundError: There is none.
    """
    for found, owner in whole_turns(connection, scope, [turn]):
        if owner == row:
            return found
    raise NotFoundError(f"turn {turn} does not exist any more")


def renew_terms(
    connection: sqlite3.Connection,
    state: ScopeState,
    terms: Mapping[int, bytes | None],
    rules: bytes,
) -> bool:
    """Let every turn of a scope have terms that these rules made.

    Args:
        connection: Inside a write transaction.
        state: Of the scope.
        terms: By turn id; ``None`` leaves them as they are.
        rules: Digest of the rules.

    Returns:
        False, and nothing is done, if there are turns that ``terms`` does not name.
    """
    if not terms.keys() >= {*member_ids(connection, state.id, state.rules)}:
        return False
    rebuild_blocks(connection, state.id, terms)
    connection.execute(
        "UPDATE scopes SET changes = changes + 1, rules = ? WHERE id = ?", (rules, state.id)
    )
    return True


def label_rows(
    connection: sqlite3.Connection, table: str, scope: int, digests: Iterable[bytes]
) -> dict[bytes, int]:
    """Rows of those of some names that there are, by keyed hash.

    Args:
        connection: Inside a transaction.
        table: ``sessions`` or ``speakers``.
        scope: Row of the scope.
        digests: Keyed hashes of the names.
    """
    query = f"SELECT id FROM {table} WHERE scope = ? AND digest = ?"
    return _each(connection, query, scope, digests)


def keyed_turns(
    connection: sqlite3.Connection, session: int, keys: Iterable[bytes]
) -> dict[bytes, int]:
    """Ids of those turns of a session that have one of these keys, by key."""
    query = 'SELECT id FROM turns WHERE session = ? AND "key" = ?'
    return _each(connection, query, session, keys)


def _each(
    connection: sqlite3.Connection, query: str, of: int, wanted: Iterable[bytes]
) -> dict[bytes, int]:
    # A statement for each takes no longer than one that lists them all.
    found: dict[bytes, int] = {}
    for one in wanted:
        row = connection.execute(query, (of, one)).fetchone()
        if row is not None:
            found[one] = row[0]
    return found


def _label_rows(
    connection: sqlite3.Connection, table: str, scope: int, labels: Iterable[Label]
) -> dict[bytes, int]:
    # Of names, which are added if need be.
    wanted = {label.digest: label.hidden for label in labels}
    known = label_rows(connection, table, scope, wanted)
    insert = f"INSERT INTO {table} (scope, digest, hidden) VALUES (?, ?, ?)"
    for digest, hidden in wanted.items():
        if digest not in known:
            known[digest] = inserted(connection, insert, (scope, digest, hidden))
    return known
