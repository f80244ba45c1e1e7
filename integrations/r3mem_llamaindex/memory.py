"""``memory=`` of LlamaIndex's chat engines and agents."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from llama_index.core.base.llms.types import ChatMessage, TextBlock
from llama_index.core.llms import LLM
from llama_index.core.memory import BaseMemory
from pydantic import BaseModel, Field

from r3mem_agents.prompts import OnError, fit_window, mark_recalled, raise_or_log, whole_calls
from r3mem_llamaindex._connection import DEFAULT_STORE, Talking
from r3mem_llamaindex._conversation import Draft, Shown, draft
from r3mem_llamaindex._messages import answered, calls
from r3mem_llamaindex._tokens import Tokenizer, message_tokens, tokenize

logger = logging.getLogger(__name__)

DEFAULT_TOKEN_LIMIT = 30_000
"""Of llama_index.core.memory.Memory."""

CONTEXT_WINDOW_SHARE = 0.75
"""Share of a model's context window that ChatMemoryBuffer of llama_index.core.memory takes."""

RECALL_SHARE = 0.3
"""Maximum share of the limit that is recalled: Memory keeps the other 0.7 for the chat history."""


class Unsaved(BaseModel):
    """A message that could not be stored, and when it was said."""

    message: ChatMessage
    time: datetime


class Window(BaseModel):
    """The part of a session that is shown as it was said.

    Attributes:
        turn_ids: Turns that ``set`` asked for.
        after: And all turns of the session after this one.
        unsaved: And what could not be stored, with ``on_error="log"``.
    """

    turn_ids: list[int] = []
    after: int = 0
    unsaved: list[Unsaved] = []


def new_session() -> str:
    """A session's name that no other has, and that tells its day in a prompt."""
    return f"{datetime.now():%Y-%m-%d}-{uuid4().hex[:8]}"


class R3Memory(Talking, BaseMemory):
    """Everything said is stored; a prompt gets the newest of it, and what older turns help.

    ``get`` returns the newest messages of the session as they were said, as many as fit, and turns
    recalled from before them, dated and marked. The first message is a user's, instructions apart,
    and tools' results follow their calls. An object delivered again with nothing said in between is
    a retry and is stored once; equal messages said twice are stored twice. A host that makes new
    objects when it retries can name a message by ``additional_kwargs["r3mem_key"]``.

    As JSON, in pickles and copies it is its fields, by which it finds its memory again. The same
    session opened anew shows its newest messages.

    Attributes:
        session: The session of new messages; by default a new one.
        token_limit: Maximum number of tokens that ``get`` returns; the last user's message and what
            followed it are returned even if they are longer.
        recall_tokens: Maximum number of tokens of what is recalled, and at most 30 % of the limit;
            800, as ``CompressiveMemory.context`` has it; 0 recalls nothing. What is not recalled
            leaves its room to the newest messages.
        insert_method: Where recalled turns go: in front of the user's message, or into a system
            message. ``ReActAgent`` drops a system message if it has no system prompt. Without the
            user's message, as in context engines, they go into a system message.
        on_error: Raise when the memory cannot be written or read, or log it and answer without; a
            message that could not be stored stays in the window then.
        tokenizer_fn: Counts tokens; not part of its JSON.
        window: The part of the session that is shown as it was said.
    """

    session: str = Field(default_factory=new_session, min_length=1)
    token_limit: int = Field(default=DEFAULT_TOKEN_LIMIT, ge=1)
    recall_tokens: int = Field(default=800, ge=0)
    insert_method: Literal["user", "system"] = "user"
    on_error: OnError = "raise"
    tokenizer_fn: Tokenizer = Field(default=tokenize, exclude=True)
    window: Window = Field(default_factory=Window)

    @classmethod
    def class_name(cls) -> str:
        """Name of the class in its JSON."""
        return "R3Memory"

    @classmethod
    def from_defaults(
        cls,
        store: str = DEFAULT_STORE,
        *,
        chat_history: Sequence[ChatMessage] | None = None,
        llm: LLM | None = None,
        token_limit: int | None = None,
        **fields: Any,
    ) -> R3Memory:
        """Build one as the host does.

        Args:
            store: A path or a sqlite:/// URL.
            chat_history: A history to begin with, as ``set`` takes it.
            llm: A model, whose context window the limit is made for.
            token_limit: Maximum number of tokens that ``get`` returns.
            **fields: The other fields of this class: ``user=``, ``session=`` ...
        """
        if token_limit is None:
            window = None if llm is None else llm.metadata.context_window
            token_limit = int(CONTEXT_WINDOW_SHARE * window) if window else DEFAULT_TOKEN_LIMIT
        memory = cls(store=store, token_limit=token_limit, **fields)
        if chat_history:
            memory.set(list(chat_history))
        return memory

    def put(self, message: ChatMessage) -> None:
        """Store a message.

        Raises:
            R3MemError: If it could not be stored, unless that is logged.
        """
        self.put_messages([message])

    def put_messages(self, messages: list[ChatMessage]) -> None:
        """Store messages, all or none.

        Raises:
            R3MemError: If they could not be stored, unless that is logged.
        """
        with raise_or_log(self.on_error, logger, "a message was not stored"):
            self._conversation(self.session).add(self._drafts(messages))
            return
        self.window.unsaved += _unsaved(messages)

    def set(self, messages: list[ChatMessage]) -> None:
        """Show these messages instead of what was said in this session so far.

        Those that the session has already are not stored again, and nothing is forgotten: what is
        not shown any more can be recalled.

        Raises:
            R3MemError: If they could not be stored, unless that is logged.
        """
        after = self._newest()
        with raise_or_log(self.on_error, logger, "a history was not stored"):
            ids = self._conversation(self.session).hand_in(self._drafts(messages))
            self.window = Window(turn_ids=ids, after=after)
            return
        self.window = Window(after=after, unsaved=_unsaved(messages))

    def reset(self) -> None:
        """Show nothing of what was said in this session so far. It can be recalled all the same.

        To forget it use ``memory.forget`` of this object's ``memory``.
        """
        self.window = Window(after=self._newest())

    def _newest(self) -> int:
        with raise_or_log(self.on_error, logger, "the session was not read"):
            return max(self._conversation(self.session).turn_ids(), default=0)
        return 0

    def get_all(self) -> list[ChatMessage]:
        """All messages of the window, however long they are."""
        return [shown.message for shown in self._newest_first()][::-1]

    def get(
        self, input: str | ChatMessage | None = None, initial_token_count: int = 0, **_: Any
    ) -> list[ChatMessage]:
        """Messages for a prompt: recalled turns, and the newest messages of the window.

        Args:
            input: The question to recall turns for, as text or in a message; ``None`` means the
                newest user's message.
            initial_token_count: Tokens that the prompt has already.
            **_: Arguments that hosts give to memories of other kinds.

        Raises:
            R3MemError: If the memory cannot be read, unless that is logged.
        """
        budget = max(0, self.token_limit - initial_token_count)
        widest = whole_calls(
            self._fit(self._newest_first(), budget),
            role=_role,
            calls=lambda shown: calls(shown.message),
            answered=lambda shown: answered(shown.message),
        )
        most = min(self.recall_tokens, int(RECALL_SHARE * budget))
        window = self._fit(reversed(widest), budget - most)
        asked = [shown.message for shown in window if shown.message.role == "user"]
        if isinstance(input, ChatMessage):
            input = input.content
        question = input or (asked[-1].content if asked else None) or ""
        recalled = self._recalled(question, window, min(most, budget - self._cost(window)))
        # What is not recalled leaves its room to the window, whose turns are no longer recalled.
        wider = self._fit(reversed(widest), budget - len(self.tokenizer_fn(recalled)))
        if len(wider) > len(window):
            window = wider
            if recalled:  # what did not fit before does not fit into less
                recalled = self._recalled(question, window, min(most, budget - self._cost(window)))
        messages = [shown.message for shown in window]
        if not recalled:
            return messages
        block = TextBlock(text=recalled)
        if self.insert_method == "user" and asked and question == asked[-1].content:
            asked[-1].blocks.insert(0, block)
            return messages
        return [ChatMessage(role="system", blocks=[block]), *messages]

    def _fit(self, newest_first: Iterable[Shown], token_budget: int) -> list[Shown]:
        return fit_window(
            newest_first,
            token_budget,
            cost=lambda shown: self._cost([shown]),
            role=_role,
        )

    def _cost(self, window: Iterable[Shown]) -> int:
        return sum(message_tokens(shown.message, self.tokenizer_fn) for shown in window)

    def _recalled(self, question: str, window: Sequence[Shown], token_budget: int) -> str:
        shown_ids = [shown.turn_id for shown in window if shown.turn_id is not None]
        with raise_or_log(self.on_error, logger, "nothing was recalled"):
            lines = self._recall(question, token_budget, shown_ids)
            return _marked(lines) if lines else ""
        return ""

    def _recall(self, question: str, token_budget: int, exclude: list[int]) -> str:
        token_budget -= len(self.tokenizer_fn(_marked("")))
        if token_budget < 1:
            return ""
        return self._context(
            question,
            token_budget,
            self.session,
            shown=exclude,
            count=lambda text: len(self.tokenizer_fn(text)),
        )

    def _newest_first(self) -> Iterator[Shown]:
        window = self.window
        unsaved = [Shown(u.message.model_copy(deep=True), u.time, None) for u in window.unsaved]
        with raise_or_log(self.on_error, logger, "the window was not read"):
            conversation = self._conversation(self.session)
            here = conversation.turn_ids()
            known, asked = set(here), set(window.turn_ids)
            chosen = [id_ for id_ in window.turn_ids if id_ in known]  # not forgotten since
            later = (id_ for id_ in here if id_ > window.after)
            ids = [*chosen, *(id_ for id_ in later if id_ not in asked)]
            for shown in conversation.newest_first(ids):
                while unsaved and unsaved[-1].time > shown.time:
                    yield unsaved.pop()
                yield shown
        yield from reversed(unsaved)

    def _drafts(self, messages: list[ChatMessage]) -> list[Draft]:
        made = (draft(message, self.session) for message in messages)
        return [one for one in made if one is not None]


def _role(shown: Shown) -> str:
    return shown.message.role.value


def _marked(lines: str) -> str:
    # Some of the host's models put the blocks of a message together without a space.
    return mark_recalled(lines) + "\n"


def _unsaved(messages: list[ChatMessage]) -> list[Unsaved]:
    now = datetime.now(UTC)
    return [Unsaved(message=message, time=now) for message in messages]
