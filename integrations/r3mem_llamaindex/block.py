"""Long-term memory for LlamaIndex's own ``Memory``."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import BaseMemoryBlock
from pydantic import Field, PrivateAttr

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import OnError, escape_tags, raise_or_log
from r3mem_llamaindex._connection import Name, Talking
from r3mem_llamaindex._conversation import Draft, draft
from r3mem_llamaindex._messages import SPOKEN
from r3mem_llamaindex._tokens import tokenize
from r3mem_llamaindex._windows import Windows

logger = logging.getLogger(__name__)

SESSION = "session_id"
"""Where ``Memory`` writes its session into the messages that leave its window."""


class R3MemoryBlock(Talking, BaseMemoryBlock[str]):
    """Remembers what ``Memory`` is told, and recalls what helps to answer the newest message.

    It stores what was put into ``Memory``: what leaves its window, and what a read finds there,
    since ``Memory`` tells a block of nothing else that it was given. So a conversation which never
    fills the window is remembered too. The input of a read is not stored. It comes as the last
    message, as if the user had said it; so a last message of the user's waits until something
    follows it, and the last exchange of a conversation is stored when that is read once more. With
    ``accept_short_term_memory=False`` only ``aput`` stores. What is in the window is not recalled.

    ``Memory`` writes only the host's own fields of its blocks as JSON: after ``Context.from_dict``
    give it the block again, or use ``R3Memory``.
    """

    name: str = "R3Memory"
    description: str | None = "Turns of earlier conversations, byte for byte."
    session: Name = Field(
        default="default", description="Session of messages that belong to none of `Memory`'s."
    )
    recall_tokens: int = Field(
        default=800,
        ge=1,
        description="Maximum number of tokens to recall; 800, as `context` has it.",
    )
    on_error: OnError = Field(
        default="raise", description="What to do when the memory cannot be written or read."
    )

    _windows: Windows = PrivateAttr(default_factory=Windows)

    async def _aget(
        self,
        messages: list[ChatMessage] | None = None,
        session_id: str | None = None,
        **block_kwargs: Any,
    ) -> str:
        session = self.session if session_id is None else session_id
        return await asyncio.to_thread(self._get, messages or [], _named(session))

    async def _aput(self, messages: list[ChatMessage]) -> None:
        # Taken before anything else runs: other blocks write into the same messages.
        leaving: dict[str, list[Draft]] = {}
        with raise_or_log(self.on_error, logger, "messages that leave the window were not stored"):
            for message in messages:
                extra = dict(message.additional_kwargs)
                session = _named(extra.pop(SESSION, self.session))
                own = message.model_copy(update={"additional_kwargs": extra})
                leaving.setdefault(session, []).extend(_drafts([message], session, own))
            await asyncio.to_thread(self._put, leaving)

    def _put(self, leaving: dict[str, list[Draft]]) -> None:
        for session, drafts in leaving.items():
            self._windows.leave(self._conversation(session), drafts)

    def _get(self, messages: list[ChatMessage], session: str) -> str:
        shown: list[int] = []
        if self.accept_short_term_memory:
            with raise_or_log(self.on_error, logger, "the window was not stored"):
                drafts = _drafts(messages, session)
                shown = self._windows.read(self._conversation(session), drafts)
        asked = [message.content for message in messages if message.role == "user"]
        with raise_or_log(self.on_error, logger, "nothing was recalled"):
            return self._recall(asked[-1] or "" if asked else "", session, shown)
        return ""

    def _recall(self, question: str, session: str, shown: list[int]) -> str:
        recalled = self._context(
            question,
            self.recall_tokens,
            session,
            shown=shown,
            count=lambda text: len(tokenize(self._inside(text))),
        )
        return self._inside(recalled)

    def _inside(self, text: str) -> str:
        # ``Memory`` puts it between tags of these names.
        return escape_tags(text, "memory", self.name)


def _named(session: str) -> str:
    if not session:
        raise InvalidInputError(f"{SESSION} is empty; give the session a name")
    return session


def _drafts(
    messages: list[ChatMessage], session: str, content: ChatMessage | None = None
) -> list[Draft]:
    made = (draft(m, session, content) for m in messages if m.role.value in SPOKEN)
    return [one for one in made if one is not None]
