"""What is stored, in portions: pages of turns."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from r3mem_agents.errors import NotFoundError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.types import StoredTurn

MAX_PAGE_CHARACTERS = 4_000_000
"""Characters of text after which a page ends, however few turns it has; chosen: two turns of the
longest that REST takes, of which a thousand would fill the memory of the server."""

READ_AT_ONCE = 32
"""Turns that are read together; chosen: fewer are slower, more make larger pages."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some turns in the order in which they were stored.

    Attributes:
        turns: The turns.
        next: The next page is the one before this id, or after it; ``None`` if there is none.
    """

    turns: list[StoredTurn]
    next: int | None


def turn_page(
    memory: CompressiveMemory,
    session: str | None,
    limit: int,
    before: int | None = None,
    after: int | None = None,
) -> Page:
    """Return the newest turns, or the newest of those before a turn, or the first after one.

    Args:
        memory: The memory.
        session: Only turns of this session, if it has any; ``None`` means all of them.
        limit: Maximum number of turns; there are fewer where they are long.
        before: The id of a turn: only turns that were stored before it.
        after: The same: only turns that were stored after it, the first of them.
    """
    ids = memory.turn_ids(session)
    first = 0 if after is None else bisect_right(ids, after)
    last = len(ids) if before is None else bisect_left(ids, before)
    whole, forwards = ids[first:last], after is not None
    wanted = whole[:limit] if forwards else whole[: -limit - 1 : -1]
    turns: list[StoredTurn] = []
    taken, size = 0, 0
    while taken < len(wanted) and size < MAX_PAGE_CHARACTERS:
        found = memory.fetch(turn_ids=wanted[taken : taken + READ_AT_ONCE])
        turns += found
        taken += READ_AT_ONCE
        size += sum(len(turn.text) for turn in found)
    read = wanted[:taken]
    return Page(turns if forwards else turns[::-1], read[-1] if len(read) < len(whole) else None)


def session_page(
    memory: CompressiveMemory, session: str, limit: int, before: int | None = None
) -> Page:
    """Return the same of a session that exists.

    Args:
        memory: The memory.
        session: The session.
        limit: As of ``turn_page``, like the following.
        before: Of it, too.

    Raises:
        NotFoundError: If there is no such session. The memory's own session always exists.
    """
    page = turn_page(memory, session, limit, before)
    if not page.turns and session != memory.session and not memory.turn_ids(session):
        raise NotFoundError(
            f"no session {session!r} in this memory of user {memory.user!r}; the list of sessions "
            "names those that there are"
        )
    return page
