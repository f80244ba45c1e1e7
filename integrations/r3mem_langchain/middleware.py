"""A memory for agents of ``langchain.agents.create_agent``."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Annotated, Any, NotRequired

from langchain_core.messages import AnyMessage, SystemMessage

from r3mem_agents import CompressiveMemory
from r3mem_agents.concurrency import in_thread
from r3mem_agents.errors import MissingExtraError, StoreError
from r3mem_agents.prompts import (
    OnError,
    RecallFrom,
    check_options,
    prompt_memory,
    raise_or_log,
)
from r3mem_agents.validation import check_count
from r3mem_langchain._changes import follow, seen
from r3mem_langchain._known import known_ids, said_elsewhere, unwritten
from r3mem_langchain._scope import Scope, called_by_tool
from r3mem_langchain._turns import continued, opened, question

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
        r3mem_seen: What the messages were at the end of the last run, to tell what the host edits
            and removes between two runs.
        r3mem_elsewhere: Ids of turns that another branch of the thread said.
    """

    r3mem_recalled: NotRequired[Annotated[str, UntrackedValue, PrivateStateAttr]]
    r3mem_turn: NotRequired[Annotated[list[AnyMessage], PrivateStateAttr]]
    r3mem_seen: NotRequired[Annotated[dict[str, str], PrivateStateAttr]]
    r3mem_elsewhere: NotRequired[Annotated[list[int], PrivateStateAttr]]


class R3MemoryMiddleware(AgentMiddleware[R3MemoryState, ContextT, ResponseT]):
    """Recalls before an agent's turn, and remembers what is said in it.

    What is recalled is shown to the model at the end of the system message, in this turn only: it
    never becomes a message, and is never stored again. What is written is what was said: the user's
    messages, before the model is called, so that they outlast a run that is broken off; then the
    answers, tool calls and their results. System messages, summaries and what a tool quotes from
    this memory are not. An agent that a tool runs recalls and writes nothing: what it is told are a
    model's words, and what it answers is the tool's result.

    The memory of a run is that of the ``user_id``, and its session the ``thread_id``, that the
    run's context or configuration names. Where no user is named, other threads are not recalled.

    A message is known by its id: a turn that the host runs again is stored once, and a message that
    gets another content is edited. A history that is sent again without ids is known by roles and
    contents, from the end, and what the user repeats without having got an answer is stored once.

    With a checkpointer, a turn that fails or that the store could not take is written with the next
    one of its thread, and what the host removes from the messages *between* two runs, as by
    ``update_state`` with ``RemoveMessage`` or ``REMOVE_ALL_MESSAGES``, is forgotten by the next
    one. What leaves them *during* a run, or for a summary, stays: so middleware saves room.

    A run from an earlier checkpoint is shown nothing that another branch of its thread said.

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
        where: Mapping[str, Any] | None = None,
        as_of: datetime | None = None,
        expires: timedelta | None = None,
        on_error: OnError = "raise",
    ) -> None:
        """Give an agent a memory.

        Args:
            memory: Where turns are kept.
            user_id: The user, if the run names nobody; ``None`` means the memory's user.
            thread_id: Session, if the run has no thread; ``None`` means the memory's session.
            recall_from: Recall from all of the user's threads, or from the run's thread only;
                ``None`` means the user's if one is named, by the run, by ``user_id`` or by the
                memory, otherwise the thread.
            k: Maximum number of turns to recall; 5, as ``CompressiveMemory.recall`` has it.
            window: Maximum number of newest turns of the thread to show, if they are not among the
                messages: an agent without a checkpointer knows its thread by them. 10, the five
                exchanges of LangChain's ``ConversationBufferWindowMemory``.
            token_budget: Maximum number of tokens of all that is shown; 800, as
                ``CompressiveMemory.context`` has it.
            where: Recall only turns that meet these conditions, as ``CompressiveMemory.recall`` has
                them; the newest turns of the thread need not.
            as_of: Recall only what was known at this time, likewise.
            expires: How long after it was said a turn is gone; ``None`` means never. What a run
                writes again, edited or not, lives as long again.
            on_error: ``"raise"`` what goes wrong with the memory, or ``"log"`` it and answer
                without.

        Raises:
            InvalidInputError: If ``on_error`` or ``recall_from`` is something else, a number is too
                small, an id is empty, or a lookup or a write would not take the rest. A run that
                has an empty id raises it too.
        """
        super().__init__()
        check_count(k, "k")
        check_count(window, "window", least=0)
        check_count(token_budget, "token_budget", least=0)
        check_options(where=where, as_of=as_of, expires=expires, on_error=on_error)
        self.memory = memory
        self.on_error = on_error
        self._scope = Scope(memory, user_id, thread_id, recall_from)
        self._scope.check()
        self._window = window
        self._expires = expires
        self._options: dict[str, Any] = {
            "k": k,
            "token_budget": token_budget,
            "where": where,
            "as_of": as_of,
        }

    def before_agent(
        self, state: R3MemoryState, runtime: Runtime[ContextT]
    ) -> dict[str, Any] | None:
        """Follow what the host changed, remember what the user says, recall what helps with it."""
        turn = opened(state.get("r3mem_turn", ()), state["messages"])
        with raise_or_log(self.on_error, logger, "what was said was not stored"):
            place = self._scope.place()
            if not called_by_tool():
                before, now = state.get("r3mem_seen"), state["messages"]
                follow(place.memory, before, now, expires=self._expires)
                self._write(place.memory, turn)
        # Until the end of the run nobody knows who takes messages out of the state.
        return {"r3mem_turn": turn, "r3mem_seen": {}, **self._recall(turn, state)}

    abefore_agent = in_thread(before_agent)

    def before_model(
        self, state: R3MemoryState, runtime: Runtime[ContextT]
    ) -> dict[str, Any] | None:
        """Collect what was said since, before other middleware may take it out of the state."""
        turn = continued(state.get("r3mem_turn", ()), state["messages"])
        if "r3mem_recalled" in state:
            return {"r3mem_turn": turn}
        # The run was interrupted and goes on, perhaps in another process.
        return {"r3mem_turn": turn, **self._recall(turn, state)}

    abefore_model = in_thread(before_model)

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
        pending: list[AnyMessage] = []
        elsewhere = state.get("r3mem_elsewhere", [])
        with raise_or_log(self.on_error, logger, "what was said was not stored"):
            place = self._scope.place()
            try:
                if not called_by_tool():
                    self._write(place.memory, turn)
                    elsewhere = _elsewhere(place.memory, turn, state)
            except StoreError:
                pending = turn
                raise
        return {
            "r3mem_recalled": "",
            "r3mem_turn": pending,
            "r3mem_seen": seen(state["messages"]),
            "r3mem_elsewhere": elsewhere,
        }

    aafter_agent = in_thread(after_agent)

    def _write(self, memory: CompressiveMemory, turn: Sequence[AnyMessage]) -> None:
        memory.remember_many(unwritten(memory, turn, expires=self._expires))

    def _recall(self, turn: Sequence[AnyMessage], state: R3MemoryState) -> dict[str, Any]:
        with raise_or_log(self.on_error, logger, "nothing was recalled"):
            memory, sessions = self._scope.place()
            elsewhere = _elsewhere(memory, turn, state)
            recalled = prompt_memory(
                memory,
                question(turn),
                # What is said now is the newest of the thread already.
                window=self._window and self._window + len(turn),
                shown_ids=[*known_ids(memory, state["messages"], turn), *elsewhere],
                sessions=sessions,
                **self._options,
            )
            return {"r3mem_recalled": recalled.text(), "r3mem_elsewhere": elsewhere}
        return {"r3mem_recalled": ""}


def _elsewhere(
    memory: CompressiveMemory, turn: Sequence[AnyMessage], state: R3MemoryState
) -> list[int]:
    new = said_elsewhere(memory, state.get("r3mem_seen"), turn, state["messages"])
    return sorted(new.union(state.get("r3mem_elsewhere", ())))


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
