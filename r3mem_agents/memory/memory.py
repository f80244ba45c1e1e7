"""``CompressiveMemory``: every verb of a memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from r3mem_agents import validation as check
from r3mem_agents.concurrency import in_thread
from r3mem_agents.memory.context import Budget, TokenCounter, compose
from r3mem_agents.memory.selection import doomed, fetched, filters, listed, session_row
from r3mem_agents.memory.upkeep import Upkeep
from r3mem_agents.types import StoredTurn, Turn

if TYPE_CHECKING:
    from r3mem_agents.types import Receipt, Recollections


class CompressiveMemory(Upkeep):
    """An agent's memory: turns go into memory tokens, and come back byte for byte.

    Threads may share an object, and processes a file. Every verb has an async twin with an ``a`` in
    front, which runs in a thread. A copy of a memory is the memory itself; a pickle holds its
    location and names, and opens the file again. An argument of a wrong type or value raises
    ``InvalidInputError`` before anything is done. Where turns are damaged, reading returns the
    others, and a ``DamageWarning`` names the damaged ones and says what to do. Attributes cannot be
    assigned: ``scoped`` returns a memory with others. A ``repr`` holds no word of any turn.

    Attributes:
        location: Path or URL that opens the file again; ``":memory:"`` of one that has none.
        user: Whose memory it is.
        agent: Which agent's memory it is.
        session: Session of turns that name none.
        model: The model that compresses and expands.
        read_only: Whether it only reads its file.
        door: What its changes come through, as a log says.

    Example:
        >>> memory = CompressiveMemory("alice.db", user="alice")
        >>> turn = memory.remember("user", "My dog is called Biscuit.", name="Alice")
        >>> memory.recall("What is my dog called?")[0].text
        'My dog is called Biscuit.'
    """

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
        expires: datetime | timedelta | None = None,
    ) -> StoredTurn:
        """Store one turn, and return it as it is stored, with its id.

        Args:
            role: ``user``, ``assistant``, ``tool`` or any other, on one line.
            text: What was said; any Unicode text, an empty one too, which no lookup finds.
            name: The speaker's name.
            session: The turn's session; ``None`` means the memory's.
            time: When it was said, with a time zone; ``None`` means now.
            metadata: Anything that JSON can hold.
            key: The name by which you know the turn, unique in its session. If the session has it
                already with the same role, name, text and metadata, only its expiry is written, so
                a write that may have failed can be repeated. If any differs, the turn is edited: it
                keeps its id, its place and, if no ``time`` is given, its time; the old text is not
                found, and no version of it is kept.
            expires: When it is gone: a time with a time zone, or how long from now; ``None`` means
                never. From that moment no verb finds it, unless it is pinned.

        Raises:
            InvalidInputError: If a value cannot be stored, or role and text change places.
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
            expires=expires,
        )
        return self._writer.write([check.check_order(check.check_turn(turn, "turn"))])[0]

    def remember_many(
        self, turns: Iterable[Turn], *, replace: bool = False, forget: Iterable[int] = ()
    ) -> list[StoredTurn]:
        """Store turns as one batch, all or none, and return them as they are stored, with ids.

        Args:
            turns: In the order in which they were said. One whose key its session has already is
                not written again, or edits the one that has the key, as for ``remember``.
            replace: Write these anew instead, in place of those with their keys, with new ids and
                so at the end of the history.
            forget: Ids of turns to forget in the same transaction; unknown ones are ignored. What
                is left in unused parts of the file, of them and of replaced and edited turns, is
                gone some seconds later, and before the file is closed; ``forget`` waits for that.

        Raises:
            InvalidInputError: If a turn cannot be stored; the message says which.
            StoreError: If they could not be written; nothing was changed then.
        """
        checked, gone = check.check_turns(turns), check.check_ids(forget, "forget")
        return self._writer.write(checked, replace=replace, forget=gone)

    def edit(
        self,
        turn_id: int,
        text: str,
        *,
        keep_versions: bool = False,
        pinned: bool | None = None,
    ) -> StoredTurn:
        """Give a turn another text, and return it; it keeps its id, place, time and all else.

        Args:
            turn_id: Its id.
            text: What it says from now on.
            keep_versions: Keep what it said as a version, beside those that were kept before:
                ``versions`` lists them, and lookups with ``as_of`` find them. Else no version is
                kept: what it ever said leaves the file some seconds later, and before the file is
                closed.
            pinned: Pin it at the same time, or let go of it, as ``pin`` does; ``None`` leaves that
                as it is.

        Raises:
            NotFoundError: If there is no such turn.
            DamagedTurnError: If it is damaged.
        """
        check.check_text(text, "text")
        id_ = check.check_id(turn_id, "turn_id")
        return self._writer.edit(id_, text, keep=keep_versions, pinned=pinned)

    def versions(self, turn_id: int) -> list[StoredTurn]:
        """Return what a turn said before it was edited, as far as that was kept, oldest first.

        A version has the id of its turn, and is forgotten with it; no other verb shows it.

        Args:
            turn_id: The turn's id.

        Raises:
            NotFoundError: If there is no such turn.
        """
        return self._reader.versions(check.check_id(turn_id, "turn_id"))

    def pin(self, turn_ids: Iterable[int], *, pinned: bool = True) -> None:
        """Let turns come first in every ``context`` as far as they fit, and not expire.

        Args:
            turn_ids: Their ids.
            pinned: False undoes it; a turn whose expiry has passed meanwhile is gone then.

        Raises:
            NotFoundError: If one of them does not exist; nothing is done then.
        """
        self._writer.pin(check.check_ids(turn_ids, "turn_ids"), pinned=pinned)

    def pinned(
        self,
        *,
        as_of: datetime | None = None,
        sessions: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        exclude: Iterable[int] = (),
    ) -> list[StoredTurn]:
        """Return the pinned turns byte for byte, in the order in which they were stored.

        Args:
            as_of: As for ``recall``.
            sessions: Only turns of these sessions.
            where: Only turns that meet these conditions, as for ``recall``.
            exclude: Ids of turns to leave out.

        Raises:
            NotFoundError: If one of ``sessions`` does not exist.
        """
        if as_of is not None:
            check.check_time(as_of, "as_of")
        return self._retriever.pinned(filters(self._handle, sessions, None, exclude, where), as_of)

    def recall(
        self,
        query: str,
        k: int = 5,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        now: datetime | None = None,
        as_of: datetime | None = None,
        sessions: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
        min_score: float | None = None,
        where: Mapping[str, Any] | None = None,
        exclude: Iterable[int] = (),
        level: Literal["turn", "session"] = "turn",
        neighbours: bool = True,
        explain: bool = False,
    ) -> Recollections:
        """Find the turns that answer a question, best first; none if nothing is relevant.

        A time in the question, in English ("last week", "before 7 May 2023"), favours turns of that
        time and excludes none; ``since`` and ``until`` do. A question of times and speakers' names
        alone ("What did Priya say yesterday?") finds turns of these, the most telling and newest
        first. One of stop words alone ("Who am I?") finds all turns, the first with a score of 0.5;
        but not "And then?" or "How are you?".

        Args:
            query: The question, of any length.
            k: Maximum number of turns to return.
            since: Only turns said at this time or later.
            until: Only turns said at this time or before.
            now: What dates in the question are relative to, and the zone of their days; ``None``
                means ``as_of``, or else the time of the call.
            as_of: Only what was known at this time: what was said later is as if it were not there,
                and a turn that was edited later says what it said then, if that version was kept.
                What has expired or was forgotten since stays gone.
            sessions: Only turns of these sessions.
            roles: Only turns of speakers in these roles.
            min_score: Only turns with at least this score. The best turn's score says how sure it
                is that the memory holds an answer; the others have less evidence and score less.
            where: Only turns that meet all of these conditions: by ``metadata.KEY`` (with further
                keys after dots), ``role``, ``name``, ``session`` or ``key`` the value that it must
                be, or comparisons with ``$eq``, ``$ne``, ``$gt``, ``$gte``, ``$lt`` and ``$lte``,
                as in ``{"metadata.channel": "mail", "metadata.priority": {"$gte": 3}}``.
            exclude: Ids of turns to ignore, as if nothing were said in them: those that the caller
                has already.
            level: ``"turn"``, or ``"session"``: the best turn of each of the ``k`` best sessions.
            neighbours: Count what was said beside a turn, and in its session, as evidence for it;
                not useful where the turns of a session are independent entries, no conversation.
            explain: Say why, which takes a little longer: give each turn an ``explanation`` of its
                evidence by level, and the list one of how the question was read and what it found.

        Raises:
            NotFoundError: If one of ``sessions`` does not exist.
        """
        k = check.check_question(query, k, "k", level, now, as_of)
        some = filters(self._handle, sessions, roles, exclude, where, since, until, min_score)
        return self._retriever.recall(query, some, level, k, now, as_of, neighbours, explain)

    def context(
        self,
        query: str,
        token_budget: int = 800,
        *,
        now: datetime | None = None,
        as_of: datetime | None = None,
        sessions: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        exclude: Iterable[int] = (),
        count: TokenCounter | None = None,
        nothing: str | None = None,
    ) -> str:
        """Write what is relevant to a question as one string for a prompt.

        It has dated lines with their speakers, in order of time under a heading per session. The
        further lines of a text are indented, so that none can be taken for another turn. Pinned
        turns come first, whatever the question is.

        Args:
            query: The question.
            token_budget: Maximum number of tokens of the result.
            now: As for ``recall``. Times are written in its zone, or else in the local one.
            as_of: As for ``recall``.
            sessions: Only turns of these sessions.
            roles: Only turns of speakers in these roles.
            where: Only turns that meet these conditions, as for ``recall``.
            exclude: Ids of turns to leave out: those that the prompt has already.
            count: Counts the tokens of a text; ``None`` means the memory's own model, which
                counts somewhat more of them than large language models do.
            nothing: The result if nothing relevant is found or fits; ``None``: words that say so.

        Raises:
            NotFoundError: If one of ``sessions`` does not exist.
        """
        tokens = check.check_question(query, token_budget, "token_budget", now=now, as_of=as_of)
        budget = Budget(tokens)
        some = filters(self._handle, sessions, roles, exclude, where)
        batches = self._retriever.within(budget, query, some, now, as_of, known=count is None)
        counted = count or self.model.count_tokens
        return compose(batches, budget, counted, nothing, now or as_of).text

    def summary(self, session: str | None = None, k: int = 3) -> list[StoredTurn]:
        """Choose the few turns that say what a session was about, byte for byte, in order of time.

        Args:
            session: The session; ``None`` means the memory's.
            k: Maximum number of turns to return.

        Raises:
            NotFoundError: If there is no such session. The memory's own session always exists.
        """
        k = check.check_count(k, "k")
        row = session_row(self._handle, session)
        return [] if row is None else self._retriever.salient(row, k)

    def history(self, session: str | None = None) -> list[StoredTurn]:
        """Return the turns byte for byte, in the order in which they were stored.

        Args:
            session: Only this session; ``None`` means all of them.

        Raises:
            NotFoundError: If there is no such session. The memory's own session always exists.
        """
        row = None if session is None else session_row(self._handle, session)
        return [] if row is None and session is not None else self._reader.history(row)

    def turn_ids(
        self,
        session: str | None = None,
        *,
        sessions: Iterable[str] | None = None,
        keys: Iterable[str] | None = None,
    ) -> list[int]:
        """Return the ids of the turns in the order in which they were stored, without reading them.

        Args:
            session: Only this session; ``None`` means all. One that does not exist has no turns.
            sessions: Or only these, and then without ``keys``.
            keys: Only turns with these keys, in the memory's session if ``session`` is not given.
        """
        return listed(self._handle, session, sessions, keys)

    def sessions(self) -> list[str]:
        """Return the names of the sessions that hold turns, in the order of their first turns."""
        return self._reader.sessions()

    def fetch(
        self,
        *,
        turn_ids: Iterable[int] | None = None,
        keys: Iterable[str] | None = None,
        session: str | None = None,
    ) -> list[StoredTurn]:
        """Return turns byte for byte by ids or keys, in the order given, as far as they exist.

        Args:
            turn_ids: Their ids.
            keys: Or their keys; exactly one of the two must be given.
            session: The session of the keys; ``None`` means the memory's.
        """
        return self._reader.turns(fetched(self._handle, turn_ids, keys, session))

    def forget(
        self,
        *,
        turn_ids: Iterable[int] | None = None,
        session: str | None = None,
        everything: bool = False,
    ) -> Receipt:
        """Remove turns and every trace of them, and return a receipt that holds no word of them.

        The file is then rewritten, which takes longer the larger it is, so that no byte of them is
        left in it. If the process is killed in between, the next one to open the file does that.
        ``everything`` also hides how many turns there were: ids continue from a random number.
        Copies of the file, and the disk, are out of reach.

        Args:
            turn_ids: The turns to forget.
            session: Or a session to forget.
            everything: Or all turns of this user and agent; give exactly one of the three.

        Raises:
            NotFoundError: If a turn or the session does not exist; nothing was forgotten then.
            StoreUnavailableError: If the turns were forgotten, but bytes of them are left for now.
        """
        return self._writer.forget(*doomed(self._handle, turn_ids, session, everything))

    aremember = in_thread(remember)
    aremember_many = in_thread(remember_many)
    aedit = in_thread(edit)
    aversions = in_thread(versions)
    apin = in_thread(pin)
    apinned = in_thread(pinned)
    arecall = in_thread(recall)
    acontext = in_thread(context)
    asummary = in_thread(summary)
    ahistory = in_thread(history)
    aturn_ids = in_thread(turn_ids)
    asessions = in_thread(sessions)
    afetch = in_thread(fetch)
    aforget = in_thread(forget)
