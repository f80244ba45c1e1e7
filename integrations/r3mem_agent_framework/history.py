"""A session's turns as the host's history."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from agent_framework import AgentSession, HistoryProvider, Message

from r3mem_agent_framework._messages import to_message, to_turn
from r3mem_agent_framework._scope import USER, user_of
from r3mem_agents import CompressiveMemory
from r3mem_agents.prompts import (
    OnError,
    check_ids,
    check_options,
    is_note,
    newest_first,
    raise_or_log,
)

logger = logging.getLogger(__name__)


class R3HistoryProvider(HistoryProvider):
    """The messages of each session, in order: all of them, as they were.

    The user is the one that ``session.state["user_id"]`` names, and the session is the host's, by
    its id: restored in another process, it finds its messages.

    What is saved is appended. A history that is sent along with something new is not stored again.

    Example:
        >>> memory = CompressiveMemory("chats.db", user="alice")
        >>> agent = Agent(client, context_providers=[R3HistoryProvider(memory)])
        >>> await agent.run("Hello!", session=agent.create_session(session_id="s1"))
    """

    def __init__(
        self,
        memory: CompressiveMemory,
        *,
        user_id: str | None = None,
        expires: timedelta | None = None,
        on_error: OnError = "raise",
        source_id: str = "r3mem_history",
        **flags: Any,
    ) -> None:
        """Keep the history of sessions.

        Args:
            memory: Where messages are kept.
            user_id: The user, if a session names nobody; ``None`` means the memory's user.
            expires: How long after it was saved a message is gone; ``None`` means never.
            on_error: ``"raise"`` what goes wrong with the memory, or ``"log"`` it and answer
                without.
            source_id: The host's name for this provider.
            **flags: The host's: ``load_messages``, ``store_inputs``, ``store_outputs``,
                ``store_context_messages``, ``store_context_from``.

        Raises:
            InvalidInputError: If ``on_error`` is something else, ``user_id`` is empty, or
                ``expires`` is no timedelta. A run whose session has an empty user raises it too.
        """
        super().__init__(source_id, **flags)
        check_ids(user_id=user_id)
        check_options(expires=expires, on_error=on_error)
        self.memory = memory
        self.user_id = user_id
        self.on_error: OnError = on_error
        self._expires = expires

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        """The messages of a session, oldest first.

        Args:
            session_id: The session; ``None`` means the memory's.
            state: May name the ``user_id``.
            **kwargs: The host's.

        Raises:
            R3MemError: If they cannot be read, unless that is logged.
        """
        with raise_or_log(self.on_error, logger, "the history was not read"):
            return await asyncio.to_thread(self._read, session_id, state)
        return []

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Append messages to a session, all or none.

        Args:
            session_id: The session; ``None`` means the memory's.
            messages: Those to append.
            state: May name the ``user_id``.
            **kwargs: The host's.

        Raises:
            R3MemError: If they cannot be stored, unless that is logged.
        """
        with raise_or_log(self.on_error, logger, "messages were not stored"):
            await asyncio.to_thread(self._append, session_id, list(messages), state)

    async def before_run(self, *, session: AgentSession, state: dict[str, Any], **run: Any) -> None:
        """Put the history into the run."""
        _name_user(session, state)
        await super().before_run(session=session, state=state, **run)

    async def after_run(self, *, session: AgentSession, state: dict[str, Any], **run: Any) -> None:
        """Save what was said in the run."""
        _name_user(session, state)
        await super().after_run(session=session, state=state, **run)

    def _of(self, session_id: str | None, state: dict[str, Any] | None) -> CompressiveMemory:
        return self.memory.scoped(user=user_of(state, self.user_id), session=session_id)

    def _read(self, session_id: str | None, state: dict[str, Any] | None) -> list[Message]:
        memory = self._of(session_id, state)
        return [*_newest_first(memory)][::-1]

    def _append(
        self, session_id: str | None, messages: list[Message], state: dict[str, Any] | None
    ) -> None:
        memory = self._of(session_id, state)
        kept = [*islice(_newest_first(memory), len(messages))][::-1]
        new = messages[_resent(kept, messages) :]
        memory.remember_many(to_turn(message, expires=self._expires) for message in new)


def _newest_first(memory: CompressiveMemory) -> Iterator[Message]:
    # What a tool notes is no message.
    turns = newest_first(memory, memory.turn_ids(memory.session))
    return (to_message(turn) for turn in turns if not is_note(turn.key or ""))


def _name_user(session: AgentSession, state: dict[str, Any]) -> None:
    # The host hands on a provider's own part of the state only.
    if (named := session.state.get(USER)) is None:
        state.pop(USER, None)
    else:
        state[USER] = named


def _resent(kept: Sequence[Message], messages: Sequence[Message]) -> int:
    # How many messages at the beginning are the newest of the history, sent again with more.
    before, now = [one.to_dict() for one in kept], [one.to_dict() for one in messages]
    for count in range(min(len(kept), len(messages) - 1), 0, -1):
        exchange = count > 1 and any(one.role == "user" for one in messages[:count])
        if exchange and before[-count:] == now[:count]:  # one message alone may be said twice
            return count
    return 0
