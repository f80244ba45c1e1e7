"""Remembered turns as documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Self

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field, model_validator

from r3mem_agents.concurrency import in_thread
from r3mem_agents.documents import Stored
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import check_options
from r3mem_langchain._documents import add_documents
from r3mem_langchain._handle import MemoryField
from r3mem_langchain._quoting import to_document

RECALLING = (
    "k", "since", "until", "now", "as_of", "sessions", "roles", "min_score", "where", "level",
    "explain",
)  # fmt: skip
"""Options that a retriever passes on to ``recall``."""


class R3Retriever(BaseRetriever):
    """Finds the remembered turns that answer a question.

    A document's text is the turn's, byte for byte; its metadata has ``time``, ``role``, ``name``,
    ``session``, ``score`` and ``turn_id``, which ``memory.forget(turn_ids=[...])`` takes, and
    ``superseded_by`` where a newer turn supersedes it. With ``explain``
    they have ``explanation`` too, the fields of ``r3mem_agents.Explanation``. Why nothing was found
    no document can say; ``memory.recall(question, explain=True).explanation`` does.

    Each option of a lookup can be given with a question too, and then counts for it alone.

    As a tool of an agent with ``R3MemoryMiddleware`` give ``create_retriever_tool`` the
    ``response_format="content_and_artifact"``: by its documents a result is known to quote what is
    stored already.

    Attributes:
        memory: The memory that is asked, or its path.
        k: Maximum number of turns to return; 5, as ``CompressiveMemory.recall`` has it.
        since: Only turns said at this time or later.
        until: Only turns said at this time or before.
        now: The time that dates in a question are relative to; ``None`` means ``as_of``, or else
            that of the question.
        as_of: Only what was known at this time, as ``CompressiveMemory.recall`` has it.
        sessions: Only turns of these sessions.
        roles: Only turns of speakers in these roles.
        min_score: Only turns with at least this score.
        where: Only turns that meet these conditions, as ``CompressiveMemory.recall`` has them.
        level: ``"session"`` for the best turn of each of the ``k`` best sessions.
        explain: Let the metadata say why a turn was found.

    Example:
        >>> R3Retriever(memory=memory).invoke("What is my dog called?", k=1)[0].page_content
        'My dog is called Biscuit.'
    """

    # A user or session that is named in a way unknown here must not be left out without a word.
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    memory: MemoryField
    k: int = Field(default=5, ge=1)
    since: datetime | None = None
    until: datetime | None = None
    now: datetime | None = None
    as_of: datetime | None = None
    sessions: Sequence[str] | None = None
    roles: Sequence[str] | None = None
    min_score: float | None = None
    where: Mapping[str, Any] | None = None
    level: Literal["turn", "session"] = "turn"
    explain: bool = False

    @model_validator(mode="after")
    def _checked(self) -> Self:
        check_options(where=self.where, as_of=self.as_of)
        return self

    def add_documents(self, documents: Iterable[Document]) -> dict[str, Stored]:
        """Store documents as passages, which are found beside turns.

        All with one ``metadata["source"]``, or else one ``id``, are parts of one document, in
        order. Added again, a document becomes what it is now: what it still says is kept, what it
        says no more is forgotten. Metadata stays, but that ``page`` counts from 1; titles that
        ``MarkdownHeaderTextSplitter`` found are headings.

        Args:
            documents: What a loader read, or a splitter made of that.

        Returns:
            How many passages of each document are new, were there, and are forgotten.

        Raises:
            InvalidInputError: If one has neither, no text, or metadata that JSON cannot hold.
            StoreError: If something could not be written.
        """
        return add_documents(self.memory, documents)

    aadd_documents = in_thread(add_documents)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        hits = self.memory.recall(query, **self._options(options))
        return [to_document(hit) for hit in hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        hits = await self.memory.arecall(query, **self._options(options))
        return [to_document(hit) for hit in hits]

    def _options(self, given: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(given.keys() - set(RECALLING)):
            raise InvalidInputError(
                f"there is no option {unknown[0]!r} of a lookup; there are {', '.join(RECALLING)}"
            )
        return {name: getattr(self, name) for name in RECALLING} | given
