"""A memory as the memory service of the host's runners."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from google.adk.events import Event
from google.adk.memory.base_memory_service import BaseMemoryService, SearchMemoryResponse
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions import Session

from r3mem_adk._contents import entry_turn, event_turn, found, said_in
from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.prompts import OnError, check_options, raise_or_log
from r3mem_agents.validation import check_count

logger = logging.getLogger(__name__)

FORGOTTEN = "forgotten"
"""Role of the empty turn that is left of an event whose memory was deleted."""


class R3MemoryService(BaseMemoryService):
    """What users said to the host's apps, and what they were answered.

    An app is an agent of the memory, and its users are its users: nothing crosses either. A session
    may be added as often as it grows, after each answer for example: only events that are new are
    stored, and one whose memory was deleted stays out.

    Every method raises ``InvalidInputError`` if it is given what cannot be stored or asked, and
    ``StoreError`` if the memory cannot be written or read; nothing was changed then.

    Attributes:
        memory: Where it is stored. Close it when the runners are closed.

    Example:
        >>> runner = Runner(
        ...     app_name="app",
        ...     agent=agent,
        ...     session_service=InMemorySessionService(),
        ...     memory_service=R3MemoryService(CompressiveMemory("app.db")),
        ... )
    """

    def __init__(
        self, memory: CompressiveMemory, *, k: int = 10, on_error: OnError = "raise"
    ) -> None:
        """Make a service of a memory.

        Args:
            memory: Where it is stored. Its own user and agent count for nothing; its session is
                that of what is added without one.
            k: Maximum number of memories that a search returns; 10, as the host has it.
            on_error: ``"raise"`` what goes wrong with the memory, or ``"log"`` it and go on.

        Raises:
            InvalidInputError: If ``k`` is too small, or ``on_error`` is something else.
        """
        check_count(k, "k")
        check_options(on_error=on_error)
        self.memory = memory
        self._k = k
        self._on_error: OnError = on_error

    async def add_session_to_memory(self, session: Session) -> None:
        """Store those events of a session that are not stored yet."""
        await self.add_events_to_memory(
            app_name=session.app_name,
            user_id=session.user_id,
            events=session.events,
            session_id=session.id,
        )

    async def add_events_to_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        events: Sequence[Event],
        session_id: str | None = None,
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Store those events that are not stored yet, all or none.

        Args:
            app_name: The app.
            user_id: Its user.
            events: The oldest first. Those that say nothing are left out.
            session_id: Their session; ``None`` means the memory's.
            custom_metadata: Anything that JSON can hold, to be found with each of them.
        """
        with raise_or_log(self._on_error, logger, "events were not stored"):
            memory = self.memory.scoped(user=user_id, agent=app_name, session=session_id)
            await asyncio.to_thread(_add, memory, list(events), custom_metadata or {})

    async def add_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        memories: Sequence[MemoryEntry],
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Store memories in the memory's session, all or none.

        Args:
            app_name: The app.
            user_id: Its user.
            memories: One with an ``id`` takes the place of what was added with it before.
            custom_metadata: Anything that JSON can hold, to be found with each of them.
        """
        with raise_or_log(self._on_error, logger, "memories were not stored"):
            turns = [entry_turn(entry, custom_metadata or {}) for entry in memories]
            await self.memory.scoped(user=user_id, agent=app_name).aremember_many(turns)

    async def search_memory(
        self, *, app_name: str, user_id: str, query: str
    ) -> SearchMemoryResponse:
        """Find what answers a question, best first; nothing if nothing is relevant.

        The ``custom_metadata`` of a memory has its ``session_id``, its ``event_id`` if it has one,
        and as ``superseded_by`` the ``id`` of a newer one after which it may no longer hold.
        """
        with raise_or_log(self._on_error, logger, "nothing was recalled"):
            memory = self.memory.scoped(user=user_id, agent=app_name)
            hits = await memory.arecall(query, self._k)
            return SearchMemoryResponse(memories=[found(hit) for hit in hits])
        return SearchMemoryResponse()

    async def delete_memory(
        self, *, app_name: str, user_id: str, memory_id: str | None = None
    ) -> None:
        """Forget a memory for good, if there is one with this ``id``, as a search returned it."""
        with raise_or_log(self._on_error, logger, "nothing was forgotten"):
            if memory_id and memory_id.isdecimal():
                memory = self.memory.scoped(user=user_id, agent=app_name)
                await asyncio.to_thread(_forget, memory, int(memory_id))


def _add(memory: CompressiveMemory, events: list[Event], metadata: Mapping[str, object]) -> None:
    said = said_in(events)
    memory.remember_many(event_turn(key, said[key], metadata) for key in _new(memory, [*said]))


def _new(memory: CompressiveMemory, keys: list[str]) -> list[str]:
    # Halved until all or none of them are known: a session grows at its end.
    known = len(memory.turn_ids(keys=keys))
    if known == len(keys):
        return []
    if not known:
        return keys
    half = len(keys) // 2
    return _new(memory, keys[:half]) + _new(memory, keys[half:])


def _forget(memory: CompressiveMemory, turn_id: int) -> None:
    for turn in memory.fetch(turn_ids=[turn_id]):
        # What an event said is forgotten, but not that it was there: its session is added again.
        left = Turn(role=FORGOTTEN, text="", session=turn.session, time=turn.time, key=turn.key)
        memory.remember_many([left] if turn.key else [], forget=[turn.id])
