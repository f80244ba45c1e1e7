"""A store: scopes, sessions, speakers and turns as bytes and integers, one transaction a call."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from r3mem_agents.errors import NotFoundError
from r3mem_agents.store.contents import Contents
from r3mem_agents.store.log import Change, note
from r3mem_agents.store.logged import LoggedDatabase
from r3mem_agents.store.marks import change_marks, marks_of, scopes_with_expired
from r3mem_agents.store.membership import member_ids
from r3mem_agents.store.models import check_model, model_row
from r3mem_agents.store.reading import living_ids, weighed
from r3mem_agents.store.records import UNMARKED, NewTurn, Removed, Scope, ScopeState, TurnRow
from r3mem_agents.store.removing import (
    check_living,
    clean_up,
    earlier_of,
    remove_earlier_texts,
    remove_expired,
    remove_keyed,
    remove_turns,
)
from r3mem_agents.store.tokens import TokenDatabase
from r3mem_agents.store.writing import (
    add_scope,
    add_turns,
    check_rules,
    current_turn,
    edit_turns,
    find_scope,
    keep_version,
    renew_terms,
    set_expiries,
)
from r3mem_agents.timestamps import now_us

NO_MORE = "it does not exist any more"


class Store(Contents, TokenDatabase, LoggedDatabase):
    """One database. Safe to use from several threads; other processes may use the file too."""

    def add(
        self,
        scope: Scope,
        new: Sequence[NewTurn],
        *,
        replace: bool = False,
        edits: Mapping[int, NewTurn] | None = None,
        expiries: Mapping[int, int | None] | None = None,
        doomed: Sequence[int] = (),
        door: bytes | None = None,
    ) -> list[int]:
        """Write turns, all or none.

        What has expired is removed first, that of others soon. Every trace of what is replaced,
        edited or removed leaves the file soon.

        Args:
            scope: Whose.
            new: The turns.
            replace: Remove those with the same keys before.
            edits: What stored turns, by id, are from now on; session, key and pin stay, earlier
                texts do not.
            expiries: When stored turns, by id, expire from now on, if nothing else changes.
            doomed: Ids of turns to remove, if they exist.
            door: What the change comes through, as a log has it.

        Returns:
            The ids of ``new``, in the order given; each greater than every id before.

        Raises:
            KeyTakenError: A session holds the key of one of ``new`` already; ``keyed`` says which.
            NotFoundError: One of ``edits`` or ``expiries`` is of no turn.
            StaleTermsError: Other rules made the terms that the scope has.
            ModelMismatchError: The database was given to another expander.
        """
        self.ready()
        if not new and not edits and not expiries and not doomed:
            return []
        with self._writing() as connection:
            state = find_scope(connection, scope)
            if new or edits:
                check_model(connection, self._bound, self.name)
                check_rules(state, self._rules)
            if state is None:
                if edits or expiries:
                    raise NotFoundError("a turn to edit does not exist any more")
                if not new:
                    return []
                state = add_scope(connection, scope, self._rules)
            expired = remove_expired(connection, state, now_us())
            gone = remove_turns(connection, state, doomed)
            if replace:
                gone |= remove_keyed(connection, state, new)
            model = model_row(connection, self._bound) if new or edits else 0
            if edits:
                remove_earlier_texts(connection, state, edits)
                edit_turns(connection, scope, state.id, edits, model)
            if expiries:
                check_living(connection, state, expiries, NO_MORE)
                set_expiries(connection, state.id, expiries)
            ids = add_turns(connection, scope, state.id, new, model) if new else []
            note(connection, state.id, Change.FORGET, gone, door)
            note(connection, state.id, Change.EDIT, {*(edits or ()), *(expiries or ())}, door)
            note(connection, state.id, Change.REMEMBER, ids, door)
            if changed := bool(expired or gone or edits):
                clean_up(connection, state.id)
            others = scopes_with_expired(connection, now_us())
        if changed or others:
            self._scrubber.soon()
        return ids

    def edit(
        self,
        scope: Scope,
        before: TurnRow,
        new: NewTurn,
        *,
        keep: bool,
        pinned: bool | None = None,
        door: bytes | None = None,
    ) -> None:
        """Let a turn be another one from now on; its session, key and expiry stay.

        Args:
            scope: Whose.
            before: The turn, as it was read.
            new: What it is from now on.
            keep: Keep what it was as an earlier text; else no earlier text of it is left.
            pinned: Pin it, or let go of it; ``None`` leaves that as it is.
            door: What the change comes through, as a log has it.

        Raises:
            NotFoundError: It is not what it was any more.
            StaleTermsError: Other rules made the terms that the scope has.
            ModelMismatchError: The database was given to another expander.
        """
        with self._writing() as connection:
            state = find_scope(connection, scope)
            check_model(connection, self._bound, self.name)
            check_rules(state, self._rules)
            now = now_us()
            if state is None or before.mark.is_hidden(now):
                raise NotFoundError(NO_MORE)
            if current_turn(connection, scope, state.id, before.id) != before:
                raise NotFoundError("the turn has changed since it was read")
            if keep:
                keep_version(connection, scope, state, before, now)
            else:
                remove_earlier_texts(connection, state, [before.id])
            model = model_row(connection, self._bound)
            edit_turns(connection, scope, state.id, {before.id: new}, model)
            note(connection, state.id, Change.EDIT, [before.id], door)
            if pinned is not None:
                _pin(connection, state.id, [before.id], pinned=pinned, door=door)
            clean_up(connection, state.id)
        self._scrubber.soon()

    def pin(
        self, scope: Scope, ids: Sequence[int], *, pinned: bool, door: bytes | None = None
    ) -> None:
        """Pin turns, or let go of them.

        Raises:
            NotFoundError: One of them does not exist; nothing is done then.
        """
        with self._writing() as connection:
            state = find_scope(connection, scope)
            check_living(connection, state, ids, "nothing was pinned or let go of")
            if state is not None and ids:
                _pin(connection, state.id, ids, pinned=pinned, door=door)

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

    def forget(
        self,
        scope: Scope,
        *,
        ids: Sequence[int] | None = None,
        session: int | None = None,
        door: bytes | None = None,
    ) -> Removed:
        """Remove turns of a scope and every trace of them: those given, or all of them.

        Args:
            scope: Whose turns.
            ids: Only these turns.
            session: Only the turns of this session.
            door: What the change comes through, as a log has it.

        Returns:
            What they were.

        Raises:
            NotFoundError: If one of ``ids`` is unknown; nothing is removed then.
            StoreUnavailableError: If the turns are removed, but not yet every trace of them.
        """
        with self._writing() as connection:
            state = find_scope(connection, scope)
            doomed = _select_doomed(connection, state, ids, session)
            earlier = earlier_of(connection, state, doomed) if state and doomed else ()
            removed = weighed(connection, [*doomed, *earlier])._replace(ids=doomed)
            if state is not None and _remove(connection, state, doomed, ids, session):
                note(connection, state.id, Change.FORGET, doomed, door)
                clean_up(connection, state.id)
        self.scrub()
        return removed

    def scrub(self) -> None:
        """Remove what is left of deleted rows in unused parts of the file, without delay.

        Raises:
            StoreUnavailableError: If another program prevents it.
        """
        self.ready()
        self._scrubbed("the turns are forgotten", "them")


def _select_doomed(
    connection: sqlite3.Connection,
    state: ScopeState | None,
    ids: Sequence[int] | None,
    session: int | None,
) -> list[int]:
    if ids is None:
        wanted = None if session is None else {session}
        return [] if state is None else living_ids(connection, state, wanted, now_us())
    check_living(connection, state, ids, "nothing was forgotten")
    return list(ids)


def _remove(
    connection: sqlite3.Connection,
    state: ScopeState,
    doomed: Sequence[int],
    ids: Sequence[int] | None,
    session: int | None,
) -> set[int]:
    # With what no verb shows of a session, or of everything.
    gone = remove_expired(connection, state, now_us())
    rest: Sequence[int] = ()
    if ids is None:
        wanted = None if session is None else {session}
        rest = member_ids(connection, state.id, state.rules, wanted)
    return gone | remove_turns(connection, state, {*doomed, *rest})


def _pin(
    connection: sqlite3.Connection,
    scope: int,
    ids: Sequence[int],
    *,
    pinned: bool,
    door: bytes | None,
) -> None:
    before = marks_of(connection, scope, ids)
    after = {id_: before.get(id_, UNMARKED)._replace(pinned=pinned) for id_ in ids}
    change_marks(connection, scope, after)
    note(connection, scope, Change.PIN if pinned else Change.UNPIN, ids, door)
