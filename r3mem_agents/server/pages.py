"""What is stored, in portions: pages of turns, and the list of sessions."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime

from r3mem_agents.errors import NotFoundError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.types import StoredTurn


@dataclass(frozen=True, slots=True)
class Page:
    """Some turns in the order in which they were stored.

    Attributes:
        turns: The turns.
        next: The page of earlier turns is the one before this id; ``None`` if there are none.
    """

    turns: list[StoredTurn]
    next: int | None


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session, without its words.

    Attributes:
        name: Its name.
        turns: Number of its turns.
        first: When the first of them was said; ``None`` if that turn is damaged.
        last: When the last of them was said, likewise.
    """

    name: str
    turns: int
    first: datetime | None
    last: datetime | None


def turn_page(
    memory: CompressiveMemory, session: str | None, limit: int, before: int | None = None
) -> Page:
    """Return the newest turns, or the newest of those before a turn.

    Args:
        memory: The memory.
        session: Only turns of this session; ``None`` means all of them.
        limit: Maximum number of turns.
        before: The id of a turn: only turns that were stored before it.

    Raises:
        NotFoundError: If there is no such session. The memory's own session always exists.
    """
    ids = memory.turn_ids(session)
    if not ids and session not in (None, memory.session):
        raise NotFoundError(
            f"no session {session!r} in this memory of user {memory.user!r}; the list of sessions "
            "names those that there are"
        )
    end = len(ids) if before is None else bisect_left(ids, before)
    start = max(0, end - limit)
    return Page(memory.fetch(turn_ids=ids[start:end]), ids[start] if start else None)


def session_list(memory: CompressiveMemory, limit: int | None = None) -> list[SessionInfo]:
    """Return what sessions there are, in the order of their first turns.

    Args:
        memory: The memory.
        limit: Only so many of them, those that began last; ``None`` means all.
    """
    names = memory.sessions()[-limit if limit else None :]
    held = {name: memory.turn_ids(name) for name in names}
    ends = memory.fetch(turn_ids=[one for ids in held.values() for one in {ids[0], ids[-1]}])
    times = {turn.id: turn.time for turn in ends}
    return [
        SessionInfo(name, len(ids), times.get(ids[0]), times.get(ids[-1]))
        for name, ids in held.items()
    ]
