"""Tools that change nothing. Their docstrings are what a model reads to choose one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.mcp import arguments as take
from r3mem_agents.server.mcp import results as give
from r3mem_agents.server.pages import session_page, turn_page


class ReadingTools:
    """The tools, over the memory of the current request."""

    def __init__(self, memory: Callable[[], CompressiveMemory]) -> None:
        self._memory = memory

    def recall(
        self,
        query: take.Query,
        k: take.Found = 5,
        since: take.Since = None,
        until: take.Until = None,
        sessions: take.Sessions = None,
        roles: take.Roles = None,
        where: take.Where = None,
        as_of: take.AsOf = None,
        explain: Annotated[bool, take.Described("Say of each turn why it was found.")] = False,
    ) -> give.Recalled:
        """Find what was said before that answers a question: whole turns, word for word.

        Use it whenever earlier conversations may matter. The best turn comes first, and none if the
        memory holds no answer. Times in the question ("last week") count.
        """
        found = self._memory().recall(
            query,
            k,
            since=since,
            until=until,
            sessions=sessions,
            roles=roles,
            where=where,
            as_of=as_of,
            explain=explain,
        )
        return give.recalled(found)

    def context(
        self,
        query: take.Query,
        token_budget: Annotated[
            int, take.Described("Most tokens of the result.", ge=1, le=take.MAX_BUDGET)
        ] = 800,
        sessions: take.Sessions = None,
        roles: take.Roles = None,
        where: take.Where = None,
        as_of: take.AsOf = None,
    ) -> str:
        """Write what is remembered about a question as dated lines, within a budget of tokens.

        Like recall, but one text that is ready to read, in order of time. Pinned turns come first.
        """
        return self._memory().context(
            query, token_budget, sessions=sessions, roles=roles, where=where, as_of=as_of
        )

    def history(
        self,
        session: Annotated[
            take.OptionalText, take.Described("Only this session; all of them if left out.")
        ] = "",
        limit: Annotated[
            int, take.Described("Most turns to return.", ge=1, le=take.MAX_TURNS)
        ] = 20,
        before: Annotated[
            int | None, take.Described("Only turns stored before the one with this id.")
        ] = None,
    ) -> give.History:
        """Read the newest turns word for word, in order; pass next as before for earlier ones."""
        memory = self._memory()
        if session:
            return give.history(session_page(memory, session, limit, before))
        return give.history(turn_page(memory, None, limit, before))

    def versions(self, turn_id: take.TurnId) -> give.Turns:
        """Read what a turn said before it was edited, as far as that was kept, oldest first."""
        return give.turns(self._memory().versions(turn_id))

    def summary(
        self,
        session: take.Session = "",
        k: take.Found = 3,
    ) -> give.Turns:
        """Get the few turns that say what a session was about, word for word."""
        return give.turns(self._memory().summary(session or None, k))

    def sessions(
        self,
        limit: Annotated[
            int, take.Described("Most sessions to return, the newest.", ge=1, le=take.MAX_TURNS)
        ] = 20,
    ) -> give.SessionList:
        """List the sessions that are remembered, how many turns each has, and from when to when."""
        return give.sessions(self._memory().session_stats(), limit)
