"""The sessions that a host's lookups reach."""

from __future__ import annotations

from typing import Literal, NamedTuple

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.prompts.options import check_options
from r3mem_agents.types import NOBODY

RecallFrom = Literal["user", "session"]
"""Recall from all sessions of the user, or from that of the conversation only."""


class Place(NamedTuple):
    """Where a run of a host is.

    Attributes:
        memory: Of its user, with its conversation as the session.
        sessions: Sessions that it may recall from; ``None`` for all of the user's.
    """

    memory: CompressiveMemory
    sessions: list[str] | None


def place_of(
    memory: CompressiveMemory,
    *,
    user: str | None,
    session: str | None,
    recall_from: RecallFrom | None = None,
) -> Place:
    """The place of a run, by the names that the host has for it.

    Args:
        memory: The adapter's.
        user: The user; ``None`` if the host names nobody, which means the memory's.
        session: The conversation; ``None`` means the memory's session.
        recall_from: See ``recall_sessions``.

    Raises:
        InvalidInputError: If a name is empty, or ``recall_from`` is unknown.
    """
    own = memory.scoped(user=user, session=session)
    return Place(own, recall_sessions(own, recall_from, named=user is not None))


def recall_sessions(
    memory: CompressiveMemory, recall_from: RecallFrom | None, *, named: bool = False
) -> list[str] | None:
    """The sessions that a conversation may recall from; ``None`` for all of the user's.

    Where no user is named, many people may share a memory: no user named, no other session
    recalled, unless the host says so.

    Args:
        memory: The memory, bound to the user and the session of the conversation.
        recall_from: The host's choice; ``None`` means the user's sessions if a user is named, by
            the host or by the memory, and otherwise the session.
        named: True if the host names the user.

    Raises:
        InvalidInputError: If ``recall_from`` is something else.
    """
    check_options(recall_from=recall_from)
    if recall_from is None:
        recall_from = "user" if named or memory.user != NOBODY else "session"
    return [memory.session] if recall_from == "session" else None
