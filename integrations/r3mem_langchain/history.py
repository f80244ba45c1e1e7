"""A session's turns as the history of a ``RunnableWithMessageHistory``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Self

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage, RemoveMessage

from r3mem_agents import CompressiveMemory
from r3mem_agents.concurrency import in_thread
from r3mem_agents.errors import NotFoundError
from r3mem_agents.prompts import check_ids, check_options, turn_key
from r3mem_langchain._messages import to_message, to_turns

REMOVE_ALL = "__remove_all__"
"""``REMOVE_ALL_MESSAGES`` of LangGraph, which is not needed for a history."""


class R3ChatMessageHistory(BaseChatMessageHistory):
    """The messages of one conversation: all of them, as they were.

    The host asks for them before it knows the question, so this is the place for what was said
    here, not for what was recalled from elsewhere: put an ``R3Retriever`` into the chain for that.

    A message that has an id is stored once, however often it is added; with another content it
    replaces what it was, in its place. A ``RemoveMessage`` forgets the message with its id, or with
    LangGraph's ``REMOVE_ALL_MESSAGES`` all that were there. A write that fails raises;
    ``RunnableWithMessageHistory`` logs that and answers all the same.

    Example:
        >>> memory = CompressiveMemory("chats.db")
        >>> chain = RunnableWithMessageHistory(
        ...     model, lambda session_id: R3ChatMessageHistory(memory, session_id)
        ... )
    """

    def __init__(
        self,
        memory: CompressiveMemory,
        session_id: str | None = None,
        *,
        user_id: str | None = None,
        expires: timedelta | None = None,
    ) -> None:
        """Bind a conversation.

        Args:
            memory: Where it is stored.
            session_id: The conversation; ``None`` means the memory's session.
            user_id: The user; ``None`` means the memory's user.
            expires: How long after it was added a message is gone; ``None`` means never.

        Raises:
            InvalidInputError: If a name has a wrong type or is empty, or ``expires`` is no
                timedelta.
        """
        super().__init__()
        check_ids(user_id=user_id, session_id=session_id)
        check_options(expires=expires)
        self.memory = memory.scoped(user=user_id, session=session_id)
        self.expires = expires

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        return partial(type(self), self.memory, expires=self.expires), ()

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """The messages in the order in which they were added."""
        return [to_message(turn) for turn in self.memory.fetch(turn_ids=self._ids())]

    async def aget_messages(self) -> list[BaseMessage]:
        """Async twin of ``messages``."""
        return await asyncio.to_thread(lambda: self.messages)

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Store messages, all or none; then forget those that are to be removed.

        Raises:
            InvalidInputError: If one of them cannot be kept.
            NotFoundError: If one that is to be removed is not there; nothing was stored then.
            StoreError: If they could not be written.
        """
        doomed: set[int] = set()
        new: list[BaseMessage] = []
        anew = False
        for message in messages:
            if not isinstance(message, RemoveMessage):
                new.append(message)
            elif message.id == REMOVE_ALL:
                doomed, new, anew = set(self._ids()), [], True
            else:
                kept = [one for one in new if one.id != message.id]
                found = self.memory.turn_ids(keys=[turn_key(message.id or "")])
                if not found and len(kept) == len(new):
                    raise NotFoundError(f"there is no message {message.id!r} to remove")
                doomed, new = doomed.union(found), kept
        turns = to_turns(new, expires=self.expires)
        if anew:  # in the order given, but said when they were
            keys = [turn.key for turn in turns if turn.key is not None]
            times = {turn.key: turn.time for turn in self.memory.fetch(keys=keys)}
            turns = [replace(turn, time=times.get(turn.key)) for turn in turns]
        doomed -= {turn.id for turn in self.memory.remember_many(turns, replace=anew)}
        if gone := doomed.intersection(self._ids()):
            self.memory.forget(turn_ids=sorted(gone))

    aadd_messages = in_thread(add_messages)

    def clear(self) -> None:
        """Forget the conversation: no trace of it is left in the file."""
        self.memory.forget(session=self.memory.session)

    aclear = in_thread(clear)

    def _ids(self) -> list[int]:
        return self.memory.turn_ids(self.memory.session)
