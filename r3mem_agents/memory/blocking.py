"""The verbs of a memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.lookup.ranking import Filters
from r3mem_agents.lookup.weights import ALONE, WEIGHTS
from r3mem_agents.memory import validation as check
from r3mem_agents.memory.budget import TokenCounter, tiktoken_counter
from r3mem_agents.memory.context import compose
from r3mem_agents.memory.text_cache import TEXT_CACHE
from r3mem_agents.memory.upkeep import KeptMemory
from r3mem_agents.types import Recollections, Turn

CONTEXT_BATCH = 16
"""Turns that are read at once to fill a context."""

MIN_LINE_TOKENS = 8
"""A context's line has at least so many tokens: its date alone takes them."""


class BlockingMemory(KeptMemory):
    """The verbs; see ``CompressiveMemory``."""

    def remember(
        self,
        role: str,
        text: str,
        *,
        name: str | None = None,
        session: str | None = None,
        time: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Turn:
        """Store one turn.

        Args:
            role: ``user``, ``assistant``, ``tool`` ...
            text: What was said; any Unicode text.
            name: The speaker's name.
            session: Its session; ``None`` means the memory's.
            time: When it was said, with a time zone; ``None`` means now.
            metadata: Anything that JSON can hold.
            key: By what you know the turn. A session holds a key once. If it has one already and
                role, name, text and metadata are the same, nothing is written, so a write may be
                repeated when it is uncertain that it succeeded. If they are others, the turn is
                edited: it keeps its id, its place in the history and, unless ``time`` is given, its
                time; what it said before is found no more.

        Returns:
            The turn as it is stored, with its id.

        Raises:
            InvalidInputError: If a value cannot be stored.
            StoreError: If it could not be written; nothing was changed then.
        """
        turn = Turn(
            role=role,
            text=text,
            name=name,
            session=session,
            time=time,
            metadata=metadata,
            key=key,
        )
        return self._writer.write([check.check_turn(turn, "turn")], self.session)[0]

    def remember_many(
        self, turns: Iterable[Turn], *, replace: bool = False, forget: Iterable[int] = ()
    ) -> list[Turn]:
        """Store turns as one batch, all or none.

        Args:
            turns: In the order in which they were said. Their ids are not used; new ones are given.
                Those whose session holds their key already are not written again, or edit the turn
                that has it, as ``remember`` says.
            replace: Instead they are written anew, in place of those with their keys, with ids of
                their own and so at the end of the history.
            forget: Ids of turns to forget in the same transaction; those that do not exist are
                passed over. Unlike the verb ``forget`` this does not wait until the file is
                rewritten. What is left in unused parts of it, of replaced and edited turns too, is
                gone some seconds later, and before the file is closed.

        Returns:
            The turns as they are stored, with their ids.

        Raises:
            InvalidInputError: If one of them cannot be stored; the message says which.
            StoreError: If they could not be written; nothing was changed then.
        """
        if isinstance(turns, Turn | str) or not isinstance(turns, Iterable):
            raise InvalidInputError(
                f"remember_many takes a list of Turn, not {type(turns).__name__}"
            )
        checked = [check.check_turn(turn, f"turns[{i}]") for i, turn in enumerate(turns)]
        doomed = check.check_ids(forget, "forget")
        try:
            return self._writer.write(checked, self.session, replace=replace, forget=doomed)
        finally:
            if doomed:
                TEXT_CACHE.clear()

    def recall(
        self,
        query: str,
        k: int = 5,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        now: datetime | None = None,
        sessions: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
        min_score: float | None = None,
        exclude: Iterable[int] = (),
        level: Literal["turn", "session"] = "turn",
        neighbours: bool = True,
        explain: bool = False,
    ) -> Recollections:
        """Find the turns that answer a question.

        A time in the question, in English ("in May", "last week", "before 7 May 2023", "from 3 to 5
        May"), favours turns of that time and excludes none; ``since`` and ``until`` do. If times
        and names of speakers are all that the question has ("What did Priya say yesterday?"), turns
        of these are the answer, the most telling and newest first. If it has stop words alone ("Who
        am I?"), all turns are, the first with a score of 0.5; not "And then?" or "How are you?".

        Args:
            query: The question, of any length.
            k: Most turns to return.
            since: Only turns said at this time or later.
            until: Only turns said at this time or before.
            now: What dates in the question are relative to, and the zone of their days; ``None``
                means the time of the call.
            sessions: Only turns of these sessions.
            roles: Only turns of speakers in these roles.
            min_score: Only turns with at least this score. The best turn's says how sure it is
                that the memory holds an answer; the others have less, as there is less evidence.
            exclude: Ids of turns to leave out, as if nothing were said in them: those that the
                caller has already.
            level: ``"turn"``, or ``"session"`` for the best turn of each of the ``k`` best
                sessions.
            neighbours: Whether what was said beside a turn, and in its session, is evidence for it.
                Say no where the turns of a session are no talk, but entries that stand alone.
            explain: Whether to say why: each turn gets an ``explanation`` of its evidence by level,
                in numbers and plain words, and the list one of how the question was read, and why
                nothing was found where nothing was. A lookup takes a little longer then.

        Returns:
            The turns, best first; an empty list if nothing is relevant.

        Raises:
            InvalidInputError: If an argument has a wrong type or value.
            NotFoundError: If one of ``sessions`` does not exist.
        """
        check.check_text(query, "query")
        check.check_count(k, "k")
        if level not in ("turn", "session"):
            raise InvalidInputError(f"level is {level!r}; it must be 'turn' or 'session'")
        filters = dataclasses.replace(
            self._filters(sessions, roles, exclude),
            since=None if since is None else check.check_time(since, "since"),
            until=None if until is None else check.check_time(until, "until"),
            min_score=None if min_score is None else check.check_score(min_score, "min_score"),
        )
        now = None if now is None else check.check_time(now, "now")
        weights = WEIGHTS if neighbours else ALONE
        if explain:
            return self._reader.explained(query, filters, level, k, now, weights)
        batches = self._reader.find(query, filters, level, k, k, now, weights)
        return Recollections(hit for batch in batches for hit in batch)

    def _filters(
        self,
        sessions: Iterable[str] | None,
        roles: Iterable[str] | None,
        exclude: Iterable[int],
    ) -> Filters:
        return Filters(
            sessions=None if sessions is None else self._session_rows(sessions),
            roles=None if roles is None else frozenset(check.check_names(roles, "roles")),
            exclude=frozenset(check.check_ids(exclude, "exclude")),
        )

    def _session_rows(self, sessions: Iterable[str]) -> frozenset[int]:
        names = check.check_names(sessions, "sessions")
        digests = {self._obfuscator.digest("session", name): name for name in names}
        rows = self._store.session_ids(self._scope, digests)
        for digest, name in digests.items():
            if digest not in rows and name != self.session:
                raise NotFoundError(
                    f"no session {name!r} in this memory of user {self.user!r}; history() shows "
                    "the sessions that there are"
                )
        return frozenset(rows.values())

    def context(
        self,
        query: str,
        token_budget: int = 800,
        *,
        now: datetime | None = None,
        sessions: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
        exclude: Iterable[int] = (),
        count: TokenCounter | None = None,
        nothing: str | None = None,
    ) -> str:
        """Write what is relevant to a question as one string for a prompt.

        Args:
            query: The question.
            token_budget: Most tokens of the result.
            now: What dates in the question are relative to, as for ``recall``. Times are written in
                its zone, or else in the local one.
            sessions: Only turns of these sessions.
            roles: Only turns of speakers in these roles.
            exclude: Ids of turns to leave out: those that the prompt has already.
            count: Counts the tokens of a text; ``None`` means tiktoken if its file is at hand,
                otherwise the model's own tokenizer.
            nothing: What to return if nothing relevant is found or fits; ``None`` means a sentence
                that says so.

        Returns:
            Dated lines with their speakers, in order of time under a heading per session. The
            further lines of a text are indented, so that none can be taken for another turn.

        Raises:
            InvalidInputError: If an argument has a wrong type or value.
            NotFoundError: If one of ``sessions`` does not exist.
        """
        check.check_text(query, "query")
        check.check_count(token_budget, "token_budget")
        most = max(1, token_budget // MIN_LINE_TOKENS)
        filters = self._filters(sessions, roles, exclude)
        now = None if now is None else check.check_time(now, "now")
        batches = self._reader.find(query, filters, "turn", most, CONTEXT_BATCH, now)
        count = count or tiktoken_counter() or self.model.count_tokens
        return compose(batches, token_budget, count, nothing, now).text

    def summary(self, session: str | None = None, k: int = 3) -> list[Turn]:
        """Choose the few turns that say what a session was about, byte for byte.

        Args:
            session: The session; ``None`` means the memory's.
            k: Most turns.

        Returns:
            The turns, in order of time.

        Raises:
            InvalidInputError: If an argument has a wrong type or value.
            NotFoundError: If there is no such session. The memory's own session always exists.
        """
        check.check_count(k, "k")
        row = self._session_row(self.session if session is None else session)
        return [] if row is None else self._reader.salient(row, k)

    def history(self, session: str | None = None) -> list[Turn]:
        """Return the turns byte for byte, in the order in which they were stored.

        Args:
            session: Only this session; ``None`` means all of them.

        Raises:
            NotFoundError: If there is no such session. The memory's own session always exists.
        """
        row = None if session is None else self._session_row(session)
        if session is not None and row is None:
            return []
        return self._reader.history(row)

    def turn_ids(
        self,
        session: str | None = None,
        *,
        sessions: Iterable[str] | None = None,
        keys: Iterable[str] | None = None,
    ) -> list[int]:
        """Return the ids of the turns in the order in which they were stored, without reading them.

        Args:
            session: Only this session; ``None`` means all of them. One that does not exist has no
                turns.
            sessions: Or only these, and then without ``keys``.
            keys: Only turns with these keys, which lie in the memory's session if none is given.
        """
        if sessions is not None:
            if session is not None or keys is not None:
                raise InvalidInputError("turn_ids takes sessions=[...] alone")
            names = check.check_names(sessions, "sessions")
        elif keys is not None:
            return sorted(self._keyed(keys, session).values())
        elif session is None:
            return self._store.turn_ids(self._scope, None)
        else:
            names = [check.check_name(session, "session")]
        digests = [self._obfuscator.digest("session", name) for name in names]
        rows = self._store.session_ids(self._scope, digests)
        return self._store.turn_ids(self._scope, list(rows.values()))

    def sessions(self) -> list[str]:
        """Return the names of the sessions that hold turns, in order of their first one."""
        return self._reader.sessions()

    def _session_row(self, session: str) -> int | None:
        return next(iter(self._session_rows([check.check_name(session, "session")])), None)

    def fetch(
        self,
        *,
        turn_ids: Iterable[int] | None = None,
        keys: Iterable[str] | None = None,
        session: str | None = None,
    ) -> list[Turn]:
        """Return turns that you know by their ids or keys, byte for byte.

        Args:
            turn_ids: Their ids.
            keys: Or their keys in a session.
            session: The session of the keys; ``None`` means the memory's.

        Returns:
            Those that exist, in the order given.

        Raises:
            InvalidInputError: If not exactly one of ``turn_ids`` and ``keys`` is given.
        """
        if (turn_ids is None) == (keys is None):
            raise InvalidInputError("fetch takes one of turn_ids=[...] and keys=[...]")
        if keys is not None:
            return self._reader.turns(list(self._keyed(keys, session).values()))
        return self._reader.turns(check.check_ids(turn_ids, "turn_ids"))

    def _keyed(self, keys: Iterable[str], session: str | None) -> dict[str, int]:
        # In the order of the keys.
        names = dict.fromkeys(check.check_names(keys, "keys"))
        where = self.session if session is None else check.check_name(session, "session")
        known = self._reader.keyed(where, list(names))
        return {key: known[key] for key in names if key in known}

    def forget(
        self,
        *,
        turn_ids: Iterable[int] | None = None,
        session: str | None = None,
        everything: bool = False,
    ) -> int:
        """Remove turns and every trace of them: memory tokens, gists, terms, names, metadata.

        The turns are removed and the file is marked; then it is rewritten, which takes longer the
        larger it is, so that no byte of them is left in it. If the process is killed in between,
        whoever opens the file next does that. ``everything`` also hides how many turns there were:
        ids go on from a number of chance. Copies of the file, and the disk, are beyond this.

        Args:
            turn_ids: The turns to forget.
            session: Or a session to forget.
            everything: Or all turns of this user and agent.

        Returns:
            How many turns were forgotten.

        Raises:
            InvalidInputError: If not exactly one of these is given.
            NotFoundError: If a turn or the session does not exist; nothing was forgotten then.
            StoreUnavailableError: If the turns were forgotten, but bytes of them are left for now.
        """
        if (turn_ids is not None) + (session is not None) + (everything is True) != 1:
            raise InvalidInputError(
                "forget takes one of turn_ids=[...], session='...' and everything=True"
            )
        ids = None if turn_ids is None else check.check_ids(turn_ids, "turn_ids")
        row = None if session is None else self._session_row(session)
        if session is not None and row is None:
            return 0
        try:
            return self._store.forget(self._scope, ids=ids, session=row)
        finally:
            TEXT_CACHE.clear()
