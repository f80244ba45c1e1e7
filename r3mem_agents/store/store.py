"""A store: scopes, sessions, speakers and turns as bytes and integers, one transaction a call."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence

from r3mem_agents.errors import NotFoundError, StoreUnavailableError
from r3mem_agents.store import sqlite
from r3mem_agents.store.indexing import additions
from r3mem_agents.store.membership import member_ids
from r3mem_agents.store.models import check_model, model_row
from r3mem_agents.store.reading import (
    described,
    examined,
    history,
    owned,
    totals,
    weighed,
    whole_turns,
)
from r3mem_agents.store.records import (
    Addition,
    DescribedTurn,
    ExaminedTurn,
    Label,
    NewTurn,
    Owned,
    Removed,
    Scope,
    ScopeState,
    Totals,
    TurnRow,
)
from r3mem_agents.store.rows import possible_ids
from r3mem_agents.store.tokens import TokenDatabase
from r3mem_agents.store.writing import (
    add_scope,
    add_turns,
    check_rules,
    delete_unused,
    edit_turns,
    existing_turns,
    find_scope,
    keyed_turns,
    label_rows,
    remove_keyed,
    remove_turns,
    renew_terms,
)


class Store(TokenDatabase):
    """One database. Safe to use from several threads; other processes may use the file too."""

    def add(
        self,
        scope: Scope,
        new: Sequence[NewTurn],
        *,
        replace: bool = False,
        edits: Mapping[int, NewTurn] | None = None,
        doomed: Sequence[int] = (),
    ) -> list[int]:
        """Write turns, all or none.

        Every trace of what is replaced, edited or removed leaves the file soon.

        Args:
            scope: Whose.
            new: The turns.
            replace: Remove those with the same keys before.
            edits: What stored turns, by id, are from now on; session and key stay.
            doomed: Ids of turns to remove, if they exist.

        Returns:
            The ids of ``new``, in the order given; each greater than every id before.

        Raises:
            KeyTakenError: A session holds the key of one of ``new`` already; ``keyed`` says which.
            NotFoundError: One of ``edits`` is of no turn.
            StaleTermsError: Other rules made the terms that the scope has.
            ModelMismatchError: The database was given to another expander.
        """
        self.ready()
        if not new and not edits and not doomed:
            return []
        with self._writing() as connection:
            state = find_scope(connection, scope)
            if new or edits:
                check_model(connection, self._bound, self.name)
                check_rules(state, self._rules)
            if state is None:
                if edits:
                    raise NotFoundError("a turn to edit does not exist any more")
                if not new:
                    return []
                state = add_scope(connection, scope, self._rules)
            gone = remove_turns(connection, state, doomed)
            if replace:
                gone += remove_keyed(connection, state, new)
            model = model_row(connection, self._bound) if new or edits else 0
            if edits:
                edit_turns(connection, scope, state.id, edits, model)
            ids = add_turns(connection, scope, state.id, new, model) if new else []
            if changed := bool(gone or edits):
                self._clean_up(connection, scope)
        if changed:
            self._scrubber.soon()
        return ids

    def _clean_up(self, connection: sqlite3.Connection, scope: Scope) -> None:
        if not delete_unused(connection, scope):
            sqlite.skip_ids(connection)
        self._scrubber.mark(connection)

    def index_rows(
        self, scope: Scope, known: ScopeState | None, last: int
    ) -> Generator[Addition, None, None]:
        """What a cached copy of a scope's rows lacks, in parts, as of one moment.

        Args:
            scope: Whose rows.
            known: State that the copy was made from, if there is one.
            last: Greatest turn id in the copy.

        Yields:
            The present state and rows to add: those after ``last`` if the state is the known one,
            otherwise all of them. The first part is the state alone; nothing comes for a scope that
            holds nothing.

        Raises:
            StaleTermsError: Other rules made the terms that the scope has.
            ModelMismatchError: The database was given to another expander.
        """
        with self._coded() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return
            check_rules(state, self._rules)
            first = last + 1 if state == known else 0
            yield from additions(connection, state, first, self.encoder)

    def renew_terms(self, scope: Scope, terms: Mapping[int, bytes | None]) -> bool:
        """Let every turn of a scope have terms that this store's rules made.

        Args:
            scope: Whose.
            terms: By turn id; ``None`` leaves them as they are.

        Returns:
            False, and nothing is done, if there are turns that ``terms`` does not name.
        """
        with self._writing() as connection:
            state = find_scope(connection, scope)
            return state is None or renew_terms(connection, state, terms, self._rules)

    def session_ids(self, scope: Scope, digests: Iterable[bytes]) -> dict[bytes, int]:
        """Row ids of the sessions that exist, by keyed hash of their names."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            return {} if state is None else label_rows(connection, "sessions", state.id, digests)

    def sessions(self, scope: Scope) -> list[Label]:
        """Names of the sessions, in the order in which they began."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return []
            query = "SELECT digest, hidden FROM sessions WHERE scope = ? ORDER BY id"
            return [Label(*row) for row in connection.execute(query, (state.id,))]

    def keyed(self, scope: Scope, session: bytes, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Ids of those turns of a session that have one of these keys, by key.

        Args:
            scope: Whose.
            session: Keyed hash of the session's name.
            keys: Masked keys.
        """
        with self._reading() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return {}
            rows = label_rows(connection, "sessions", state.id, [session])
            return keyed_turns(connection, rows[session], keys) if rows else {}

    def turns(self, scope: Scope, ids: Sequence[int]) -> dict[int, TurnRow]:
        """Those of the given turns that exist in a scope, by id."""
        with self._coded() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return {}
            found = whole_turns(connection, scope, possible_ids(ids))
            return {turn.id: turn for turn, owner in found if owner == state.id}

    def described(self, scope: Scope, ids: Sequence[int]) -> list[DescribedTurn]:
        """What is said beside the text of those of some turns that exist in a scope."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            return [] if state is None else described(connection, state.id, ids)

    def history(self, scope: Scope, session: int | None) -> list[TurnRow]:
        """Every turn of a scope, or of one of its sessions, in the order of writing.

        Raises:
            StoreCorruptError: Damage has cut all of them off.
        """
        with self._coded() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return []
            return history(connection, scope, state, session)

    def turn_ids(self, scope: Scope, sessions: Sequence[int] | None) -> list[int]:
        """Ids of every turn of a scope, or of some of its sessions, in the order of writing."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return []
            wanted = None if sessions is None else {*sessions}
            return member_ids(connection, state.id, state.rules, wanted)

    def forget(
        self, scope: Scope, *, ids: Sequence[int] | None = None, session: int | None = None
    ) -> Removed:
        """Remove turns of a scope and every trace of them: those given, or all of them.

        Args:
            scope: Whose turns.
            ids: Only these turns.
            session: Only the turns of this session.

        Returns:
            What they were.

        Raises:
            NotFoundError: If one of ``ids`` is unknown; nothing is removed then.
            StoreUnavailableError: If the turns are removed, but not yet every trace of them.
        """
        with self._writing() as connection:
            state = find_scope(connection, scope)
            doomed = _select_doomed(connection, state, ids, session)
            removed = weighed(connection, doomed)
            if state is not None and remove_turns(connection, state, doomed):
                self._clean_up(connection, scope)
        self.scrub()
        return removed

    def scrub(self) -> None:
        """Remove what is left of deleted rows in unused parts of the file, without delay.

        Raises:
            StoreUnavailableError: If another program prevents it.
        """
        self.ready()
        if obstacle := self._scrubber.now():
            raise StoreUnavailableError(
                f"the turns are forgotten, but traces of them are left in {self.name} "
                f"({obstacle}); they are removed once that is over, or when the file is opened next"
            )

    def totals(self, scope: Scope) -> Totals:
        """Sums over the turns of a scope."""
        with self._reading() as connection:
            return totals(connection, find_scope(connection, scope))

    def owned(self) -> list[Owned]:
        """What each user has with each agent, in the order in which they came."""
        with self._reading() as connection:
            return owned(connection)

    def all_turn_ids(self) -> list[int]:
        """Ids of the turns of everybody."""
        with self._reading() as connection:
            return [id_ for (id_,) in connection.execute("SELECT id FROM turns ORDER BY id")]

    def examined(self, ids: Sequence[int]) -> list[ExaminedTurn]:
        """Those of these turns of anybody that exist, with what is needed to check them."""
        with self._coded() as connection:
            return examined(connection, ids)


def _select_doomed(
    connection: sqlite3.Connection,
    state: ScopeState | None,
    ids: Sequence[int] | None,
    session: int | None,
) -> list[int]:
    if ids is None:
        wanted = None if session is None else {session}
        return [] if state is None else member_ids(connection, state.id, state.rules, wanted)
    known = set() if state is None else existing_turns(connection, state, ids)
    if missing := [turn for turn in ids if turn not in known]:
        some = ", ".join(str(turn) for turn in missing[:5]) + (", ..." if missing[5:] else "")
        raise NotFoundError(f"no turn {some} in this memory; nothing was forgotten")
    return list(ids)
