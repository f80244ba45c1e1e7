"""The sessions that a host's lookups reach."""

from __future__ import annotations

from typing import Literal

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.types import NOBODY

RecallFrom = Literal["user", "session"]
"""Recall from all sessions of the user, or from that of the conversation only."""


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
    if recall_from not in ("user", "session", None):
        raise InvalidInputError(f"recall_from is {recall_from!r}; it must be 'user' or 'session'")
    if recall_from is None:
        recall_from = "user" if named or memory.user != NOBODY else "session"
    return [memory.session] if recall_from == "session" else None
