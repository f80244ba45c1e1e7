"""A memory as a capability of an agent."""

from __future__ import annotations

import copy
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from anyio.to_thread import run_sync as in_worker
from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.framing import neutralize_tags
from pydantic_ai.messages import ModelMessage, ToolCallPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.run import AgentRunResult
from pydantic_ai.tools import AgentDepsT, RunContext, ToolDefinition
from pydantic_ai.toolsets import AgentToolset, FunctionToolset

from r3mem_agents import CompressiveMemory
from r3mem_agents.concurrency import in_thread
from r3mem_agents.prompts import (
    OnError,
    Place,
    RecallFrom,
    check_ids,
    check_options,
    is_note,
    memory_tools,
    place_of,
    prompt_memory,
    raise_or_log,
    shown_turns,
    turn_key,
)
from r3mem_agents.validation import check_count
from r3mem_pydantic_ai._messages import question, to_messages, to_turn
from r3mem_pydantic_ai._tools import as_tool

logger = logging.getLogger(__name__)

_call: ContextVar[str | None] = ContextVar("r3mem_call", default=None)
"""Id of the call that is being done."""


@dataclass
class _Run:
    # What a capability knows of one run.
    place: Place
    nested: bool
    recalled: str = ""
    written: list[ModelMessage] = field(default_factory=list)


@dataclass
class R3Memory(AbstractCapability[AgentDepsT]):
    """Recalls before a run, remembers what is said in it, and lets the model do both by itself.

    What is recalled stands among the instructions of the run, and is never stored. What is stored
    is what was said: the user's words before the model is called, so that they outlast a run that
    is broken off; then answers, tool calls and results. Instructions are not, nor what a tool
    quotes from this memory. An agent that a tool of another one runs recalls, but writes nothing.

    The memory of a run is its user's, and its session the run's ``conversation_id``.

    Attributes:
        memory: Where turns are kept.
        user_id: The user, or what gets a run's context and returns the user; ``None`` means the
            memory's user.
        recall_from: Recall from all of the user's conversations, or from the run's only; ``None``
            means the user's if one is named, here or by the memory, otherwise the run's.
        k: Maximum number of turns to recall; 5, as ``CompressiveMemory.recall`` has it.
        window: Maximum number of newest turns of the conversation to show, if the run has no
            history of messages that shows them.
        token_budget: Maximum number of tokens of all that is shown; 800, as
            ``CompressiveMemory.context`` has it.
        where: Recall only turns that meet these conditions, as ``CompressiveMemory.recall`` has
            them.
        as_of: Recall only what was known at this time, likewise.
        expires: How long after it was said a turn is gone; ``None`` means never.
        tools: Give the model the tools ``remember``, ``recall``, ``forget`` and ``pin``.
        on_error: ``"raise"`` what goes wrong while recalling and storing, or ``"log"`` it and
            answer without.

    Raises:
        InvalidInputError: If one of them is something else, or is empty.

    Example:
        >>> memory = R3Memory(CompressiveMemory("memory.db"), user_id=lambda run: run.deps.user)
        >>> agent = Agent("openai:gpt-5.5", deps_type=Visit, capabilities=[memory])
        >>> await agent.run("What is my dog called?", deps=visit, conversation_id="monday")
    """

    memory: CompressiveMemory
    _: KW_ONLY
    user_id: str | Callable[[RunContext[AgentDepsT]], str | None] | None = None
    recall_from: RecallFrom | None = None
    k: int = 5
    window: int = 10
    token_budget: int = 800
    where: Mapping[str, Any] | None = None
    as_of: datetime | None = None
    expires: timedelta | None = None
    tools: bool = True
    on_error: OnError = "raise"
    _run: _Run | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not callable(self.user_id):
            check_ids(user_id=self.user_id)
        check_count(self.k, "k")
        check_count(self.window, "window", least=0)
        check_count(self.token_budget, "token_budget", least=0)
        check_options(
            where=self.where,
            as_of=self.as_of,
            expires=self.expires,
            recall_from=self.recall_from,
            on_error=self.on_error,
        )

    def messages(self, conversation_id: str, *, user_id: str | None = None) -> list[ModelMessage]:
        """Read a conversation, as the ``message_history`` of a run that continues it.

        Args:
            conversation_id: The conversation.
            user_id: The user; ``None`` means the memory's.

        Returns:
            The messages as they were, instructions aside, oldest first; none if there are none.
        """
        memory = self.memory.scoped(user=user_id, session=conversation_id)
        turns = memory.history(memory.session)
        return to_messages([turn for turn in turns if not is_note(turn.key or "")])

    amessages = in_thread(messages)

    @classmethod
    def get_serialization_name(cls) -> str | None:
        """None: an open memory cannot be written into a spec."""
        return None

    def get_ordering(self) -> CapabilityOrdering:
        """Before those that take messages out of the history: it stores them first."""
        return CapabilityOrdering(position="outermost")

    async def for_run(self, ctx: RunContext[AgentDepsT]) -> R3Memory[AgentDepsT]:
        """The capability of one run.

        Raises:
            InvalidInputError: If the run's user is empty.
        """
        user = self.user_id(ctx) if callable(self.user_id) else self.user_id
        check_ids(user_id=user)
        place = place_of(
            self.memory, user=user, session=ctx.conversation_id, recall_from=self.recall_from
        )
        bound = copy.copy(self)
        bound._run = _Run(place, nested=_call.get() is not None)
        return bound

    def get_instructions(self) -> Callable[[], str | None]:
        """What was recalled for the run."""
        return lambda: self._run.recalled if self._run else None

    def get_toolset(self) -> AgentToolset[AgentDepsT] | None:
        """The tools, if there are any."""
        if not self.tools:
            return None
        functions = memory_tools(
            lambda: self._bound.place,
            k=self.k,
            where=self.where,
            as_of=self.as_of,
            expires=self.expires,
            call=_call.get,
            mistake=ToolFailed,
        )
        return FunctionToolset([as_tool(one) for one in functions])

    async def before_run(self, ctx: RunContext[AgentDepsT]) -> None:
        """Recall what helps with what the user says."""
        with raise_or_log(self.on_error, logger, "nothing was recalled"):
            self._bound.recalled = await in_worker(self._recall, ctx)

    async def before_model_request(
        self, ctx: RunContext[AgentDepsT], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Remember what was said so far, before the model may fail."""
        await self._write(ctx, ctx.messages)
        return request_context

    async def wrap_tool_execute(
        self,
        ctx: RunContext[AgentDepsT],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, Any],
        handler: Callable[[dict[str, Any]], Awaitable[Any]],
    ) -> Any:
        """Let tools know their call."""
        token = _call.set(call.tool_call_id)
        try:
            return await handler(args)
        finally:
            _call.reset(token)

    async def after_run(
        self, ctx: RunContext[AgentDepsT], *, result: AgentRunResult[Any]
    ) -> AgentRunResult[Any]:
        """Remember the rest."""
        await self._write(ctx, result.all_messages())
        return result

    @property
    def _bound(self) -> _Run:
        assert self._run is not None  # the host calls the capability of a run
        return self._run

    def _recall(self, ctx: RunContext[AgentDepsT]) -> str:
        memory, sessions = self._bound.place
        # By their words: the conversation has notes between them, which are no messages.
        turns = [to_turn(one, "") for one in ctx.messages]
        shown = shown_turns(memory, [(turn.role, turn.text) for turn in turns])
        recalled = prompt_memory(
            memory,
            question(ctx.prompt, ctx.messages),
            window=self.window,
            k=self.k,
            token_budget=self.token_budget,
            shown_ids=shown,
            sessions=sessions,
            where=self.where,
            as_of=self.as_of,
        )
        return neutralize_tags(recalled.text())

    async def _write(self, ctx: RunContext[AgentDepsT], messages: Iterable[ModelMessage]) -> None:
        run = self._bound
        new = [one for one in messages if one.run_id == ctx.run_id and one not in run.written]
        if run.nested or not new:
            return
        with raise_or_log(self.on_error, logger, "what was said was not stored"):
            turns = [
                to_turn(one, turn_key(f"{ctx.run_id} {number}"), expires=self.expires)
                for number, one in enumerate(new, start=len(run.written))
            ]
            await in_worker(run.place.memory.remember_many, turns)
            run.written += new
