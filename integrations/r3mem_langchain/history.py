"""A session's turns as the history of a ``RunnableWithMessageHistory``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from r3mem_agents import CompressiveMemory
from r3mem_langchain.messages import to_message, to_turns
from r3mem_langchain.scope import check_ids


class R3ChatMessageHistory(BaseChatMessageHistory):
    """The messages of one conversation: all of them, as they were.

    The host asks for them before it knows the question, so this is the place for what was said
    here, not for what was recalled from elsewhere: put an ``R3Retriever`` into the chain for that.

    A message that has an id is stored once, however often it is added. A write that fails raises;
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
    ) -> None:
        """Bind a conversation.

        Args:
            memory: Where it is stored.
            session_id: Which conversation; ``None`` means the memory's session.
            user_id: Whose; ``None`` means the memory's user.

        Raises:
            InvalidInputError: If a name has a wrong type or is empty.
        """
        super().__init__()
        check_ids(user_id=user_id, session_id=session_id)
        self.memory = memory.scoped(user=user_id, session=session_id)

    def __reduce__(self) -> tuple[type[Self], tuple[CompressiveMemory]]:
        return type(self), (self.memory,)

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """The messages in the order in which they were added."""
        ids = self.memory.turn_ids(self.memory.session)
        return [to_message(turn) for turn in self.memory.fetch(turn_ids=ids)]

    async def aget_messages(self) -> list[BaseMessage]:
        """Async twin of ``messages``."""
        return await asyncio.to_thread(lambda: self.messages)

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Store messages, all or none.

        Raises:
            InvalidInputError: If one of them cannot be kept.
            StoreError: If they could not be written.
        """
        self.memory.remember_many(to_turns(messages))

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Async twin of ``add_messages``."""
        await self.memory.aremember_many(to_turns(messages))

    def clear(self) -> None:
        """Forget the conversation: no trace of it is left in the file."""
        self.memory.forget(session=self.memory.session)

    async def aclear(self) -> None:
        """Async twin of ``clear``."""
        await self.memory.aforget(session=self.memory.session)
