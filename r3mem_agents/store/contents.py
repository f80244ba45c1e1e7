"""What is in a store: turns and names of scopes, each reading as of one moment."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from r3mem_agents.store.bound import BoundDatabase
from r3mem_agents.store.indexing import additions
from r3mem_agents.store.marks import earlier_texts, hidden_among
from r3mem_agents.store.membership import member_ids
from r3mem_agents.store.reading import (
    described,
    examined,
    history,
    living_ids,
    living_sessions,
    owned,
    periods,
    totals,
    whole_turns,
)
from r3mem_agents.store.records import (
    Addition,
    DescribedTurn,
    ExaminedTurn,
    Label,
    Owned,
    Period,
    Scope,
    ScopeState,
    Totals,
    TurnRow,
)
from r3mem_agents.store.removing import check_living
from r3mem_agents.store.rows import possible_ids
from r3mem_agents.store.writing import (
    check_rules,
    current_turn,
    find_scope,
    keyed_turns,
    label_rows,
)
from r3mem_agents.timestamps import now_us


class Contents(BoundDatabase):
    """A store as it is read: without what has expired, and earlier texts only where asked for."""

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
            marks apart, otherwise all of them. The first part is the state with marks alone;
            nothing comes for a scope that holds nothing.

        Raises:
            StaleTermsError: Other rules made the terms that the scope has.
            ModelMismatchError: The database was given to another expander.
        """
        with self._coded() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return
            check_rules(state, self._rules)
            first = last + 1 if state.has_rows_of(known) else 0
            first_mark = first if state == known else 0
            yield from additions(connection, state, first, first_mark, self.encoder)

    def session_ids(self, scope: Scope, digests: Iterable[bytes]) -> dict[bytes, int]:
        """Row ids of the sessions that have turns, by keyed hash of their names."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return {}
            found = label_rows(connection, "sessions", state.id, digests)
            living = living_sessions(connection, state, now_us())
            return {one: row for one, row in found.items() if living is None or row in living}

    def sessions(self, scope: Scope) -> list[Label]:
        """Names of the sessions, in the order in which they began."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return []
            query = "SELECT id, digest, hidden FROM sessions WHERE scope = ? ORDER BY id"
            found = connection.execute(query, (state.id,)).fetchall()
            living = living_sessions(connection, state, now_us())
            return [Label(*name) for row, *name in found if living is None or row in living]

    def periods(self, scope: Scope) -> list[Period]:
        """The sessions, from when to when, in the order in which they began."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            return [] if state is None else periods(connection, state, now_us())

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
            found = keyed_turns(connection, rows[session], keys) if rows else {}
            hidden = hidden_among(connection, state.id, found.values(), now_us())
            return {key: turn for key, turn in found.items() if turn not in hidden}

    def turns(
        self, scope: Scope, ids: Sequence[int], *, earlier: bool = False
    ) -> dict[int, TurnRow]:
        """Those of the given turns that exist in a scope, by id.

        Args:
            scope: Whose.
            ids: Their ids.
            earlier: Earlier texts of turns, too, by their own ids.
        """
        with self._coded() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return {}
            now = now_us()
            found = whole_turns(connection, scope, possible_ids(ids))
            mine = [turn for turn, owner in found if owner == state.id]
            return {
                turn.id: turn
                for turn in mine
                if not (turn.mark.has_expired(now) if earlier else turn.mark.is_hidden(now))
            }

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
            return history(connection, scope, state, session, now_us())

    def turn_ids(self, scope: Scope, sessions: Sequence[int] | None) -> list[int]:
        """Ids of every turn of a scope, or of some of its sessions, in the order of writing."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            if state is None:
                return []
            wanted = None if sessions is None else {*sessions}
            return living_ids(connection, state, wanted, now_us())

    def every_turn_id(self, scope: Scope) -> list[int]:
        """Ids of all that is there in a scope: earlier texts and what has expired, too."""
        with self._reading() as connection:
            state = find_scope(connection, scope)
            return [] if state is None else member_ids(connection, state.id, state.rules)

    def versions(self, scope: Scope, turn: int) -> list[TurnRow]:
        """The earlier texts of a turn that were kept, oldest first.

        Raises:
            NotFoundError: There is no such turn.
        """
        with self._coded() as connection:
            state = find_scope(connection, scope)
            check_living(connection, state, [turn], "so it has no versions")
            assert state is not None, "a turn that exists has a scope"
            marks = earlier_texts(connection, state.id)
            ids = sorted(id_ for id_, mark in marks.items() if mark.version_of == turn)
            now = current_turn(connection, scope, state.id, turn)
            return [row.as_text_of(now) for row, _ in whole_turns(connection, scope, ids)]

    def totals(self, scope: Scope) -> Totals:
        """Sums over the turns of a scope."""
        with self._reading() as connection:
            return totals(connection, find_scope(connection, scope), now_us())

    def owned(self) -> list[Owned]:
        """What each user has with each agent, in the order in which they came."""
        with self._reading() as connection:
            return owned(connection, now_us())

    def all_turn_ids(self) -> list[int]:
        """Ids of the turns of everybody."""
        with self._reading() as connection:
            return [id_ for (id_,) in connection.execute("SELECT id FROM turns ORDER BY id")]

    def examined(self, ids: Sequence[int]) -> list[ExaminedTurn]:
        """Those of these turns of anybody that exist, with what is needed to check them."""
        with self._coded() as connection:
            return examined(connection, ids)
