"""A memory for agents of ``langchain.agents.create_agent``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage, SystemMessage

from r3mem_agents import CompressiveMemory, OnError, RecallFrom, prompt_memory, tolerated
from r3mem_agents.errors import InvalidInputError, MissingExtraError, StoreError
from r3mem_langchain.messages import key_of, to_turns
from r3mem_langchain.scope import Place, Scope
from r3mem_langchain.turns import continued, opened, question

if find_spec("langchain") is None:
    raise MissingExtraError("langchain", "langchain")

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ContextT,
    ModelRequest,
    ModelResponse,
    PrivateStateAttr,
    ResponseT,
)
from langgraph.channels import UntrackedValue
from langgraph.runtime import Runtime

logger = logging.getLogger(__name__)


class R3MemoryState(AgentState[Any]):
    """An agent's state with what is the middleware's own; neither input nor output.

    Attributes:
        r3mem_recalled: What the model is shown of the memory in this turn; in no checkpoint, so
            that what is forgotten is not kept there.
        r3mem_turn: Messages of this turn that are to be written.
    """

    r3mem_recalled: NotRequired[Annotated[str, UntrackedValue, PrivateStateAttr]]
    r3mem_turn: NotRequired[Annotated[list[AnyMessage], PrivateStateAttr]]


class R3MemoryMiddleware(AgentMiddleware[R3MemoryState, ContextT, ResponseT]):
    """Recalls before an agent's turn, and remembers the whole turn after it.

    What is recalled is shown to the model at the end of the system message, in this turn only: it
    never becomes a message, and is never stored again. What is written is what was said: the user's
    messages, the answers, tool calls and their results. System messages, summaries and what a tool
    quotes from this memory are not.

    The memory of a run is that of the ``user_id``, and its session the ``thread_id``, that the
    run's context or configuration names. A message is known by its id: a turn that the host runs
    again is stored once. A turn that fails, or that the store could not take, is written with the
    next one of its thread if there is a checkpointer.

    Put it in front of middleware that takes messages out of the state, such as
    ``SummarizationMiddleware``: then it sees them before they go.

    Example:
        >>> agent = create_agent(
        ...     "openai:gpt-5.5",
        ...     tools,
        ...     middleware=[R3MemoryMiddleware(CompressiveMemory("memory.db"))],
        ...     context_schema=Context,  # with a field user_id
        ...     checkpointer=checkpointer,
        ... )
        >>> agent.invoke(
        ...     {"messages": [("user", "What is my dog called?")]},
        ...     {"configurable": {"thread_id": "t1"}},
        ...     context=Context(user_id="alice"),
        ... )
    """

    state_schema = R3MemoryState

    def __init__(
        self,
        memory: CompressiveMemory,
        *,
        user_id: str | None = None,
        thread_id: str | None = None,
        recall_from: RecallFrom | None = None,
        k: int = 5,
        window: int = 10,
        token_budget: int = 800,
        on_error: OnError = "raise",
    ) -> None:
        """Give an agent a memory.

        Args:
            memory: Where turns are kept.
            user_id: Whose memory, if the run names nobody; ``None`` means the memory's user.
            thread_id: Session, if the run has no thread; ``None`` means the memory's session.
            recall_from: Recall from all of the user's threads, or from the run's thread only;
                ``None`` means the user's if one is named, by the run, by ``user_id`` or by the
                memory, otherwise the thread.
            k: Most turns to recall; 5, as ``CompressiveMemory.recall`` has it.
            window: Most newest turns of the thread to show, if they are not among the messages: an
                agent without a checkpointer knows its thread by them. 10, the five exchanges of
                LangChain's ``ConversationBufferWindowMemory``.
            token_budget: Most tokens of all that is shown; 800, as ``CompressiveMemory.context``
                has it.
            on_error: ``"raise"`` what goes wrong with the memory, or ``"log"`` it and answer
                without.

        Raises:
            InvalidInputError: If ``on_error`` or ``recall_from`` is something else, or an id is
                empty. A run that has an empty id raises it too.
        """
        super().__init__()
        if on_error not in ("raise", "log"):
            raise InvalidInputError(f"on_error is {on_error!r}; it must be 'raise' or 'log'")
        self.memory = memory
        self.on_error = on_error
        self._scope = Scope(memory, user_id, thread_id, recall_from)
        self._scope.check()
        self._options: dict[str, Any] = {"k": k, "window": window, "token_budget": token_budget}

    def before_agent(
        self, state: R3MemoryState, runtime: Runtime[ContextT]
    ) -> dict[str, Any] | None:
        """Recall what helps with what the user says."""
        turn = opened(state.get("r3mem_turn", ()), state["messages"])
        return {"r3mem_turn": turn, "r3mem_recalled": self._recall(turn, state)}

    async def abefore_agent(
        self, state: R3MemoryState, runtime: Runtime[ContextT]
    ) -> dict[str, Any] | None:
        """Async twin of ``before_agent``."""
        turn = opened(state.get("r3mem_turn", ()), state["messages"])
        return {"r3mem_turn": turn, "r3mem_recalled": await self._arecall(turn, state)}

    def before_model(
        self, state: R3MemoryState, runtime: Runtime[ContextT]
    ) -> dict[str, Any] | None:
        """Collect what was said since, before other middleware may take it out of the state."""
        turn = continued(state.get("r3mem_turn", ()), state["messages"])
        if "r3mem_recalled" in state:
            return {"r3mem_turn": turn}
        # The run was interrupted and goes on, perhaps in another process.
        return {"r3mem_turn": turn, "r3mem_recalled": self._recall(turn, state)}

    async def abefore_model(
        self, state: R3MemoryState, runtime: Runtime[ContextT]
    ) -> dict[str, Any] | None:
        """Async twin of ``before_model``."""
        turn = continued(state.get("r3mem_turn", ()), state["messages"])
        if "r3mem_recalled" in state:
            return {"r3mem_turn": turn}
        return {"r3mem_turn": turn, "r3mem_recalled": await self._arecall(turn, state)}

    def wrap_model_call(
        self,
        request: ModelRequest[ContextT],
        handler: Callable[[ModelRequest[ContextT]], ModelResponse[ResponseT]],
    ) -> ModelResponse[ResponseT]:
        """Show the model what was recalled."""
        return handler(_with_recalled(request))

    async def awrap_model_call(
        self,
        request: ModelRequest[ContextT],
        handler: Callable[[ModelRequest[ContextT]], Awaitable[ModelResponse[ResponseT]]],
    ) -> ModelResponse[ResponseT]:
        """Async twin of ``wrap_model_call``."""
        return await handler(_with_recalled(request))

    def after_agent(
        self, state: R3MemoryState, runtime: Runtime[ContextT]
    ) -> dict[str, Any] | None:
        """Remember the turn."""
        turn = continued(state.get("r3mem_turn", ()), state["messages"])
        unwritten: list[AnyMessage] = []
        with tolerated(self.on_error, logger, "what was said was not stored"):
            try:
                self._scope.place().memory.remember_many(to_turns(turn))
            except StoreError:
                unwritten = turn
                raise
        return {"r3mem_recalled": "", "r3mem_turn": unwritten}

    async def aafter_agent(
        self, state: R3MemoryState, runtime: Runtime[ContextT]
    ) -> dict[str, Any] | None:
        """Async twin of ``after_agent``."""
        turn = continued(state.get("r3mem_turn", ()), state["messages"])
        unwritten: list[AnyMessage] = []
        with tolerated(self.on_error, logger, "what was said was not stored"):
            try:
                await self._scope.place().memory.aremember_many(to_turns(turn))
            except StoreError:
                unwritten = turn
                raise
        return {"r3mem_recalled": "", "r3mem_turn": unwritten}

    def _recall(self, turn: Sequence[AnyMessage], state: R3MemoryState) -> str:
        with tolerated(self.on_error, logger, "nothing was recalled"):
            return self._lookup(self._scope.place(), turn, state["messages"])
        return ""

    async def _arecall(self, turn: Sequence[AnyMessage], state: R3MemoryState) -> str:
        with tolerated(self.on_error, logger, "nothing was recalled"):
            place = self._scope.place()
            return await asyncio.to_thread(self._lookup, place, turn, state["messages"])
        return ""

    def _lookup(self, place: Place, turn: Sequence[AnyMessage], shown: Sequence[AnyMessage]) -> str:
        keys = [key for message in shown if (key := key_of(message)) is not None]
        return prompt_memory(
            place.memory,
            question(turn),
            shown_keys=keys,
            sessions=place.sessions,
            **self._options,
        ).text()


def _with_recalled(request: ModelRequest[ContextT]) -> ModelRequest[ContextT]:
    recalled = request.state.get("r3mem_recalled")
    if not isinstance(recalled, str) or not recalled:
        return request
    # At the end, so that what stands in front of it can be cached by the model's provider.
    system = request.system_message or SystemMessage("")
    if isinstance(system.content, str):
        content: Any = f"{system.content}\n\n{recalled}" if system.content else recalled
    else:
        content = [*system.content, {"type": "text", "text": recalled}]
    return request.override(system_message=system.model_copy(update={"content": content}))
