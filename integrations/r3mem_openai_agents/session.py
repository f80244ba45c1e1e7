"""A conversation of the Agents SDK, kept in a memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from agents import SessionABC, SessionSettings, TResponseInputItem

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import NotFoundError
from r3mem_agents.prompts import (
    OnError,
    check_ids,
    check_options,
    is_note,
    newest_first,
    raise_or_log,
)
from r3mem_agents.types import StoredTurn
from r3mem_agents.validation import check_count
from r3mem_openai_agents._items import to_item, to_turn

logger = logging.getLogger(__name__)


class R3Session(SessionABC):
    """The items of one conversation: all of them, as they were.

    A session gives the model what was said here. For what was said elsewhere, and for what a limit
    leaves out, add a ``recall_filter``, or let the model look it up with ``as_tools``.

    Objects may be made anew for each run, and used by several runs at once: each batch of items is
    written whole or not at all.

    Attributes:
        session_id: The conversation.
        session_settings: The host's settings, as of how many items it reads.
        memory: Where the items are, bound to the user and the conversation.

    Example:
        >>> memory = CompressiveMemory("chats.db")
        >>> session = R3Session(memory, "monday", user_id="alice")
        >>> await Runner.run(agent, "My dog is called Biscuit.", session=session)
    """

    def __init__(
        self,
        memory: CompressiveMemory,
        session_id: str | None = None,
        *,
        user_id: str | None = None,
        session_settings: SessionSettings | None = None,
        expires: timedelta | None = None,
        on_error: OnError = "raise",
    ) -> None:
        """Bind a conversation.

        Args:
            memory: Where it is stored.
            session_id: The conversation; ``None`` means the memory's session.
            user_id: The user; ``None`` means the memory's user.
            session_settings: The host's, as ``SessionSettings(limit=20)``; ``None`` for no limit.
            expires: How long after it was added an item is gone; ``None`` means never.
            on_error: ``"raise"`` what goes wrong when a run reads or writes, or ``"log"`` it and
                answer without the history.

        Raises:
            InvalidInputError: If a name has a wrong type or is empty, or another argument is
                something else.
        """
        check_ids(session_id=session_id, user_id=user_id)
        check_options(expires=expires, on_error=on_error)
        self.memory = memory.scoped(user=user_id, session=session_id)
        self.session_id = self.memory.session
        self.session_settings = session_settings or SessionSettings()
        self._expires = expires
        self._on_error: OnError = on_error

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the items in the order in which they were added.

        Args:
            limit: Only so many, the newest; ``None`` means that of ``session_settings``, if any.

        Raises:
            InvalidInputError: If the limit is below 0.
        """
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        if limit is not None:
            check_count(limit, "limit", least=0)
        with raise_or_log(self._on_error, logger, "the history was not read"):
            return await asyncio.to_thread(self._read, limit)
        return []

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Store items, all or none.

        Raises:
            InvalidInputError: If one of them is not what JSON can hold.
            StoreError: If they could not be written.
        """
        with raise_or_log(self._on_error, logger, "what was said was not stored"):
            turns = [to_turn(item, expires=self._expires) for item in items]
            await self.memory.aremember_many(turns)

    async def pop_item(self) -> TResponseInputItem | None:
        """Forget the newest item, and return it; ``None`` if there is none.

        Raises:
            StoreError: If it could not be forgotten.
        """
        return await asyncio.to_thread(self._pop)

    async def clear_session(self) -> None:
        """Forget the conversation: no trace of it is left in the file.

        Raises:
            StoreError: If it could not be forgotten.
        """
        await self.memory.aforget(session=self.session_id)

    def _newest_first(self) -> Iterator[StoredTurn]:
        # What the tool ``remember`` notes is no item of the run.
        turns = newest_first(self.memory, self.memory.turn_ids(self.session_id))
        return (turn for turn in turns if not is_note(turn.key or ""))

    def _read(self, limit: int | None) -> list[TResponseInputItem]:
        newest = [to_item(turn) for turn in islice(self._newest_first(), limit)]
        return newest[::-1]

    def _pop(self) -> TResponseInputItem | None:
        while (turn := next(self._newest_first(), None)) is not None:
            try:
                self.memory.forget(turn_ids=[turn.id])
            except NotFoundError:
                continue  # another run took it since
            return to_item(turn)
        return None
