"""What a write transaction removes: turns, with all that is theirs, and what no turn refers to."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence

from r3mem_agents.errors import NotFoundError
from r3mem_agents.store import sqlite
from r3mem_agents.store.log import Change, note
from r3mem_agents.store.marks import (
    delete_marks,
    earlier_texts,
    expired_turns,
    hidden_among,
    scopes_with_expired,
)
from r3mem_agents.store.membership import member_ids, remove_members, used_names
from r3mem_agents.store.records import NewTurn, ScopeState
from r3mem_agents.store.rows import GIVEN, id_list, possible_ids
from r3mem_agents.store.writing import keyed_turns, label_rows
from r3mem_agents.timestamps import now_us


def remove_keyed(
    connection: sqlite3.Connection, state: ScopeState, new: Sequence[NewTurn]
) -> set[int]:
    """Remove the turns that have the session and the key of one of these; returns which."""
    keys: dict[bytes, list[bytes]] = {}
    for turn in new:
        if turn.key is not None:
            keys.setdefault(turn.session.digest, []).append(turn.key)
    gone: set[int] = set()
    for digest, session in label_rows(connection, "sessions", state.id, keys).items():
        held = keyed_turns(connection, session, keys[digest])
        gone |= remove_turns(connection, state, list(held.values()))
    return gone


def existing_turns(
    connection: sqlite3.Connection, state: ScopeState, ids: Iterable[int]
) -> set[int]:
    """Those of some ids that are of turns of a scope, also where damage has left only the id."""
    possible = {*possible_ids(ids)}
    query = f"SELECT turns.id FROM {GIVEN} WHERE scope = ?"
    found = {id_ for (id_,) in connection.execute(query, (id_list(possible), state.id))}
    if found != possible:
        found |= possible.intersection(member_ids(connection, state.id, state.rules))
    return found


def check_living(
    connection: sqlite3.Connection, state: ScopeState | None, ids: Iterable[int], outcome: str
) -> None:
    """See that turns exist, and have not expired.

    Args:
        connection: Inside a transaction.
        state: Of the scope; ``None`` where it has no turns.
        ids: Of the turns.
        outcome: The end of the message.

    Raises:
        NotFoundError: One of them does not exist.
    """
    wanted = [*ids]
    known = set() if state is None else existing_turns(connection, state, wanted)
    if state is not None:
        known -= hidden_among(connection, state.id, known, now_us())
    if missing := [turn for turn in wanted if turn not in known]:
        some = ", ".join(str(turn) for turn in missing[:5]) + (", ..." if missing[5:] else "")
        raise NotFoundError(f"no turn {some} in this memory; {outcome}")


def remove_turns(
    connection: sqlite3.Connection, state: ScopeState, ids: Collection[int]
) -> set[int]:
    """Remove those of some turns that exist, with their earlier texts; returns which."""
    there = existing_turns(connection, state, ids) if ids else set()
    if there:
        doomed = there | earlier_of(connection, state, there)
        _delete(connection, "turns", doomed)
        remove_members(connection, state.id, doomed)
        delete_marks(connection, state.id, doomed)
    return there


def remove_earlier_texts(
    connection: sqlite3.Connection, state: ScopeState, turns: Collection[int]
) -> None:
    """Remove the earlier texts of some turns."""
    remove_turns(connection, state, earlier_of(connection, state, turns))


def earlier_of(
    connection: sqlite3.Connection, state: ScopeState, turns: Collection[int]
) -> set[int]:
    """Ids of the earlier texts of some turns."""
    found, wanted = earlier_texts(connection, state.id), {*turns}
    return {text for text, mark in found.items() if mark.version_of in wanted}


def remove_expired(connection: sqlite3.Connection, state: ScopeState, now_us: int) -> set[int]:
    """Remove what has expired of a scope; returns which turns."""
    gone = remove_turns(connection, state, expired_turns(connection, state.id, now_us))
    note(connection, state.id, Change.EXPIRE, gone)
    return gone


def remove_all_expired(connection: sqlite3.Connection, now_us: int) -> None:
    """Remove what has expired of everybody."""
    for scope in scopes_with_expired(connection, now_us):
        query = "SELECT id, changes, rules, marks FROM scopes WHERE id = ?"
        for row in connection.execute(query, (scope,)).fetchall():
            if remove_expired(connection, ScopeState._make(row), now_us):
                clean_up(connection, scope)


def clean_up(connection: sqlite3.Connection, scope: int) -> None:
    """After turns of a scope were removed or changed: let nothing tell of what they were.

    What no turn refers to any more is removed, names first of all; cached copies are outdated, and
    the file is marked as one to be scrubbed.

    Args:
        connection: Inside a write transaction.
        scope: Row of the scope.
    """
    if not _delete_unused(connection, scope):
        sqlite.skip_ids(connection)
    to_be_scrubbed(connection)


def to_be_scrubbed(connection: sqlite3.Connection) -> None:
    """Note in a transaction that deletes or changes rows that the file has to be scrubbed.

    The number is another one each time, so that whoever scrubs sees what was deleted meanwhile.
    """
    connection.execute("UPDATE meta SET unscrubbed = 1 + (random() & 0xFFFFFFFF)")


def _delete_unused(connection: sqlite3.Connection, scope: int) -> bool:
    # Whether the scope has turns left.
    [rules] = connection.execute("SELECT rules FROM scopes WHERE id = ?", (scope,)).fetchone()
    used = used_names(connection, scope, rules)  # anew: damage may have been found meanwhile
    for table, kept in zip(("sessions", "speakers"), used, strict=True):
        named = connection.execute(f"SELECT id FROM {table} WHERE scope = ?", (scope,))
        _delete(connection, table, {row for (row,) in named} - kept)
    if not any(used):
        connection.execute("DELETE FROM marks WHERE scope = ?", (scope,))  # damage may leave some
        _delete(connection, "scopes", [scope])
        return False
    connection.execute("UPDATE scopes SET changes = changes + 1 WHERE id = ?", (scope,))
    return True


def _delete(connection: sqlite3.Connection, table: str, rows: Collection[int]) -> None:
    connection.executemany(f"DELETE FROM {table} WHERE id = ?", [(row,) for row in sorted(rows)])
