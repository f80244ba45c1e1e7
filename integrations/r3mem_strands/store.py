"""A memory as a store of the host's memory manager."""

from __future__ import annotations

from typing import Any

from strands.memory import (
    AddMessagesContext,
    ExtractionConfig,
    MemoryEntry,
    MemoryStore,
    SearchOptions,
)
from strands.types.content import Message

from r3mem_agents import CompressiveMemory, Recollection, Turn
from r3mem_agents.prompts import digest_of
from r3mem_agents.validation import check_count, check_name
from r3mem_strands._messages import to_turns
from r3mem_strands.handing_over import AfterAnswer

DESCRIPTION = "What was said in conversations with the user, word for word."

NOTE = "memory"
"""Role of what nobody said."""


class R3MemoryStore(MemoryStore):
    """What an agent and its user said, and what was added to that.

    After each answer the host hands over what was said since; no model is asked. The memory is that
    of one user, and its session is the conversation: make a store for each agent, with
    ``memory.scoped(user=..., session=...)``. Stores may share a file, and be used at once.

    Attributes:
        memory: Where it is stored. Close it when the agents are done.
        name: By which the host's tools know the store.
        description: What its tools tell a model of it.
        max_search_results: How many entries a search returns, if it does not say.
        writable: Whether the host may write to it.
        extraction: When the host hands over what was said.

    Example:
        >>> memory = CompressiveMemory("chats.db").scoped(user="alice", session="monday")
        >>> agent = Agent(model, memory_manager=MemoryManager(stores=[R3MemoryStore(memory)]))
    """

    def __init__(
        self,
        memory: CompressiveMemory,
        *,
        name: str = "r3mem",
        description: str | None = DESCRIPTION,
        max_search_results: int = 5,
        writable: bool = True,
        extraction: ExtractionConfig | bool | None = None,
    ) -> None:
        """Make a store of a memory.

        Args:
            memory: The user's, bound to the conversation.
            name: Another one for each store of a manager.
            description: What the host's tools tell a model of it.
            max_search_results: As ``k`` of ``CompressiveMemory.recall``.
            writable: False for a store that is only searched, as one is whose memory only reads.
            extraction: When the host hands over what was said, and what of it. ``None`` means
                after each answer, all but tool calls and their results; ``False`` means never, and
                ``True`` after every fifth.

        Raises:
            InvalidInputError: If ``name`` is blank, or ``max_search_results`` is too small.
        """
        self.memory = memory
        self.name = check_name(name, "name")
        self.description = description
        self._k = check_count(max_search_results, "max_search_results")
        self.max_search_results: int | None = self._k
        self.writable = writable and not memory.read_only
        if extraction is None:
            extraction = ExtractionConfig(trigger=AfterAnswer()) if self.writable else False
        self.extraction: ExtractionConfig | bool | None = extraction

    async def search(self, query: str, options: SearchOptions | None = None) -> list[MemoryEntry]:
        """Find what answers a question, best first; nothing if nothing is relevant.

        Args:
            query: The question, of any length.
            options: The host's: ``max_search_results``.

        Returns:
            Entries with the words, and as metadata ``turn_id``, ``session``, ``role``, ``time``,
            ``score``; ``name`` and ``superseded_by`` if there is one; and what was added with them.

        Raises:
            InvalidInputError: If there is nothing that so few results could hold.
            StoreError: If the memory cannot be read.
        """
        hits = await self.memory.arecall(query, (options or {}).get("max_search_results", self._k))
        return [_entry(hit) for hit in hits]

    async def add(self, content: str, metadata: dict[str, Any] | None = None) -> int:
        """Store a statement; added again, it is there once, as the newest.

        Args:
            content: The statement.
            metadata: Anything that JSON can hold.

        Returns:
            Id of its turn.

        Raises:
            InvalidInputError: If it cannot be stored.
            StoreError: If it could not be written.
        """
        note = Turn(role=NOTE, text=content, metadata=metadata, key=digest_of(content))
        [turn] = await self.memory.aremember_many([note], replace=True)
        return turn.id

    async def add_messages(
        self, messages: list[Message], context: AddMessagesContext | None = None
    ) -> list[int]:
        """Store what was said in messages, all or none: a batch that failed can be added again.

        Args:
            messages: In the order in which they were said. Those without words are left out.
            context: The host's; since nothing of a failed batch is left, it is not needed.

        Returns:
            Ids of their turns.

        Raises:
            InvalidInputError: If one cannot be stored.
            StoreError: If they could not be written.
        """
        return [turn.id for turn in await self.memory.aremember_many(to_turns(messages))]


def _entry(hit: Recollection) -> MemoryEntry:
    turn = hit.turn
    own = {
        "turn_id": turn.id,
        "session": turn.session,
        "role": turn.role,
        "name": turn.name,
        "time": turn.time.astimezone().isoformat(timespec="seconds"),
        "score": round(hit.score, 3),
        "superseded_by": hit.superseded_by,
    }
    known = {name: value for name, value in own.items() if value is not None}
    return MemoryEntry(content=hit.text, metadata={**turn.metadata, **known})
