"""Whole turns out of a database, also where damage has cut them off from their names."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.store.checksums import is_intact
from r3mem_agents.store.counts import Counts, read_counts
from r3mem_agents.store.marks import VALUES, expired_turns, hidden_turns, mark_of
from r3mem_agents.store.membership import member_ids, terms_of, used_names
from r3mem_agents.store.records import (
    UNMARKED,
    DescribedTurn,
    ExaminedTurn,
    Label,
    ModelId,
    Owned,
    Period,
    Removed,
    Scope,
    ScopeState,
    Totals,
    TurnRow,
)
from r3mem_agents.store.rows import GIVEN, id_list

_COLUMNS = (
    "turns.id, turns.scope, turns.model, turns.checksum, time_us, offset_s, code, gists,"
    ' turns."key", extra, sessions.digest, sessions.hidden, speakers.digest, speakers.hidden,'
    f" {VALUES}"
)
_WIDTH = 19
"""How many columns these are."""

_NAMED = (
    f"{GIVEN} LEFT JOIN sessions ON sessions.id = turns.session"
    " LEFT JOIN speakers ON speakers.id = turns.speaker"
    " LEFT JOIN marks ON marks.scope = turns.scope AND marks.turn = turns.id"
)
_OWNED = (
    f"{_NAMED} LEFT JOIN scopes ON scopes.id = turns.scope"
    " LEFT JOIN models ON models.id = turns.model"
)


def whole_turns(
    connection: sqlite3.Connection, scope: Scope, ids: Iterable[int]
) -> Iterator[tuple[TurnRow, int]]:
    """Those of some turns that there are, in this order, each with the row of its scope.

    Args:
        connection: Inside a transaction.
        scope: Whose they are if they are intact.
        ids: Of the turns.
    """
    for row in connection.execute(f"SELECT {_COLUMNS} FROM {_NAMED}", (id_list(ids),)):
        yield _turn_row(scope, row), row[1]


def _turn_row(scope: Scope, row: Sequence[Any]) -> TurnRow:
    id_, owner, model, checksum, *values = row[:10]
    session, its_name, speaker, name, *marked = row[10:]
    names = _label(session, its_name), _label(speaker, name)
    mark = mark_of(owner, id_, marked) or UNMARKED
    turn = TurnRow._make((id_, *names, *values, False, mark))
    return turn._replace(intact=is_intact(scope, turn, model, checksum))


def described(
    connection: sqlite3.Connection, scope: int, ids: Iterable[int]
) -> list[DescribedTurn]:
    """What is said beside the text of those of some turns that a scope has.

    Args:
        connection: Inside a transaction.
        scope: Row of the scope.
        ids: Of the turns.
    """
    query = (
        'SELECT turns.id, sessions.hidden, speakers.hidden, turns."key", extra'
        f" FROM {_NAMED} WHERE turns.scope = ?"
    )
    return [DescribedTurn._make(row) for row in connection.execute(query, (id_list(ids), scope))]


def history(
    connection: sqlite3.Connection,
    scope: Scope,
    state: ScopeState,
    session: int | None,
    now_us: int,
) -> list[TurnRow]:
    """Every turn of a scope, or of one of its sessions, in the order of writing.

    Turns whose row says that they are of another scope are among them, not intact, and so are those
    of which there is no row.

    Raises:
        StoreCorruptError: Nothing is where something must be: damage has cut all of it off.
    """
    wanted = None if session is None else {session}
    ids = living_ids(connection, state, wanted, now_us)
    if not ids and expired_turns(connection, state.id, now_us):
        return []
    found = [
        turn if owner == state.id else turn._replace(intact=False)
        for turn, owner in whole_turns(connection, scope, ids)
    ]
    if not found and (session is None or _is_known(connection, session)):
        raise StoreCorruptError(
            "no turn refers to a name that only turns bring in: a row's id is damaged; restore the "
            "file from a backup, or see what is left of it with: r3mem verify"
        )
    if len(found) < len(ids):
        lost = {*ids}.difference(turn.id for turn in found)
        found += [TurnRow._make((id_, *[None] * 8, False, UNMARKED)) for id_ in sorted(lost)]
    return found


def living_ids(
    connection: sqlite3.Connection,
    state: ScopeState,
    sessions: Collection[int] | None,
    now_us: int,
) -> list[int]:
    """Ids of the turns of a scope, or of some of its sessions, that have not expired; ascending."""
    ids = member_ids(connection, state.id, state.rules, sessions)
    hidden = hidden_turns(connection, state.id, now_us)
    return [id_ for id_ in ids if id_ not in hidden] if hidden else ids


def living_sessions(
    connection: sqlite3.Connection, state: ScopeState, now_us: int
) -> set[int] | None:
    """Rows of the sessions of which not all turns have expired; ``None`` if that is all."""
    if not expired_turns(connection, state.id, now_us):
        return None
    hidden = hidden_turns(connection, state.id, now_us)  # earlier texts of expired turns, too
    return used_names(connection, state.id, state.rules, without=hidden)[0]


def periods(connection: sqlite3.Connection, state: ScopeState, now_us: int) -> list[Period]:
    """The sessions of a scope, from when to when, in the order in which they began."""
    ids = id_list(living_ids(connection, state, None, now_us))
    # Beside the least or greatest value SQLite gives the other columns of its row.
    first, last = (
        {
            row[0]: row[1:]
            for row in connection.execute(
                f"SELECT session, digest, hidden, count(*), {which}(time_us), offset_s"
                f" FROM {GIVEN} JOIN sessions ON sessions.id = turns.session GROUP BY session"
                " ORDER BY session",
                (ids,),
            )
        }
        for which in ("min", "max")
    )
    return [
        Period(Label(*row[:2]), row[2], row[3:], last[session][3:])
        for session, row in first.items()
    ]


def owned(connection: sqlite3.Connection, now_us: int) -> list[Owned]:
    """What each user has with each agent, in the order in which they came."""
    rows = connection.execute(
        "SELECT scopes.id, user, agent, hidden, count(turns.id), count(DISTINCT session)"
        " FROM scopes LEFT JOIN turns ON turns.scope = scopes.id GROUP BY scopes.id"
        " ORDER BY scopes.id"
    ).fetchall()
    found: list[Owned] = []
    for row, *names, turns, sessions in rows:
        if hidden := hidden_turns(connection, row, now_us):
            turns, sessions = connection.execute(
                "SELECT count(id), count(DISTINCT session) FROM turns WHERE scope = ?"
                " AND id NOT IN (SELECT value FROM json_each(?))",
                (row, id_list(hidden)),
            ).fetchone()
            if not turns:  # what is left has expired
                continue
        found.append(Owned(Scope(*names), turns, sessions))
    return found


def totals(connection: sqlite3.Connection, state: ScopeState | None, now_us: int) -> Totals:
    """Sums over the turns of a scope; zeros where there is none."""
    if state is None:
        return Totals()
    ids = living_ids(connection, state, None, now_us)
    codes = gists = 0
    counted: list[Counts] = []
    kept: set[int] = set()
    query = f"SELECT session, counts, length(code), length(gists) FROM {GIVEN}"
    for session, counts, code, gist in connection.execute(query, (id_list(ids),)):
        kept.add(session)
        codes, gists = codes + code, gists + gist
        counted.append(read_counts(counts) or Counts())
    query = "SELECT coalesce(sum(length(data)), 0) FROM blocks WHERE scope = ?"
    [terms] = connection.execute(query, (state.id,)).fetchone()
    return Totals(
        turns=len(ids),
        sessions=len(kept),
        code_bytes=codes,
        gist_bytes=gists,
        term_bytes=terms,
        **{name: sum(getattr(one, name) for one in counted) for name in Counts._fields},
    )


def weighed(connection: sqlite3.Connection, ids: Sequence[int]) -> Removed:
    """What goes with some turns that are about to be removed."""
    query = f"SELECT sessions.digest, sessions.hidden, counts, length(code) FROM {_NAMED}"
    rows = connection.execute(query, (id_list(ids),)).fetchall()
    names = dict.fromkeys(_label(*row[:2]) for row in rows)
    texts = sum((read_counts(counts) or Counts()).text_bytes for _, _, counts, _ in rows)
    return Removed(ids, [name for name in names if name], texts, sum(row[3] for row in rows))


def examined(connection: sqlite3.Connection, ids: Sequence[int]) -> list[ExaminedTurn]:
    """Those of these turns of anybody that there are, with what is needed to check them."""
    query = (
        f"SELECT {_COLUMNS}, user, agent, scopes.hidden, rules, name, expander, encoder, counts,"
        " sessions.scope = turns.scope AND speakers.scope = turns.scope"
        f" FROM {_OWNED}"
    )
    rows = connection.execute(query, (id_list(ids),)).fetchall()
    members: dict[int, list[int]] = {}
    for id_, owner, *_ in rows:
        if isinstance(owner, int):
            members.setdefault(owner, []).append(id_)
    terms: dict[int, bytes] = {}
    for owner, mine in members.items():
        terms.update(terms_of(connection, owner, mine))
    return [_examined(row, terms) for row in rows]


def _examined(row: Sequence[Any], terms: Mapping[int, bytes]) -> ExaminedTurn:
    *_, user, agent, hidden, rules, name, expander, encoder, counted, agree = row
    scope = Scope(user, agent, hidden)
    model = ModelId(name, expander, encoder)
    turn = _turn_row(scope, row[:_WIDTH])
    counts = read_counts(counted)
    return ExaminedTurn(
        row=turn._replace(intact=turn.intact and bool(agree)),
        scope=None if None in scope[:2] else scope,
        model=None if None in model else model,
        terms=terms.get(turn.id),
        rules=rules,
        text_bytes=None if counts is None else counts.text_bytes,
    )


def unused_names(connection: sqlite3.Connection) -> list[str]:
    """Names that no turn refers to: they go with their last turn, so a row id is damaged."""
    loose: list[str] = []
    for name in ("scope", "session", "speaker"):
        unused = f"SELECT id FROM {name}s WHERE id NOT IN (SELECT {name} FROM turns)"
        for (row,) in connection.execute(unused):
            loose.append(f"row {row} of {name}s: no turn refers to it")
    return loose


def _is_known(connection: sqlite3.Connection, session: int) -> bool:
    found = connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session,))
    return found.fetchone() is not None


def _label(digest: bytes | None, hidden: bytes | None) -> Label | None:
    return None if digest is None or hidden is None else Label(digest, hidden)
