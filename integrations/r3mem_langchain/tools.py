"""A memory as tools of an agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from r3mem_agents import CompressiveMemory, Recollection
from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.prompts import (
    NOTHING_FOUND,
    RecallFrom,
    check_options,
    mark_recalled,
    turn_line,
)
from r3mem_agents.validation import check_count
from r3mem_langchain._keys import note_key
from r3mem_langchain._scope import Place, Scope

_call: ContextVar[str | None] = ContextVar("r3mem_call", default=None)
"""Id of the call that is being done."""


class _MemoryTool(StructuredTool):
    """Lets its function know the id of the call, also where it is called without one."""

    def run(self, *args: Any, tool_call_id: str | None = None, **options: Any) -> Any:
        token = _call.set(tool_call_id)
        try:
            return super().run(*args, tool_call_id=tool_call_id, **options)
        finally:
            _call.reset(token)

    async def arun(self, *args: Any, tool_call_id: str | None = None, **options: Any) -> Any:
        token = _call.set(tool_call_id)
        try:
            return await super().arun(*args, tool_call_id=tool_call_id, **options)
        finally:
            _call.reset(token)


class _Remember(BaseModel):
    text: str = Field(description="What to remember, as one self-contained statement.")


class _Recall(BaseModel):
    query: str = Field(description="What to look for, as a question or in keywords.")


class _Forget(BaseModel):
    turn_ids: list[int] = Field(description="Numbers of the turns, as recall shows them.")


class _Pin(_Forget):
    pinned: bool = Field(default=True, description="False undoes it.")


def as_tools(
    memory: CompressiveMemory,
    *,
    user_id: str | None = None,
    thread_id: str | None = None,
    recall_from: RecallFrom | None = None,
    k: int = 5,
    where: Mapping[str, Any] | None = None,
    as_of: datetime | None = None,
    expires: timedelta | None = None,
) -> list[BaseTool]:
    """Let a model remember, recall, forget and pin by itself.

    In a graph each call works on the memory of the run's user and notes go to its thread, as
    ``R3MemoryMiddleware`` finds them; elsewhere on the names given here. Where nobody names a user,
    a call recalls, forgets and pins turns of its own thread only. A call that is repeated with the
    same id and text remembers once. What ``recall`` returns is marked, so that
    ``R3MemoryMiddleware`` does not store it again.

    Args:
        memory: Where turns are kept.
        user_id: The user, if the run names nobody; ``None`` means the memory's user.
        thread_id: Session of what is remembered, if the run has no thread; ``None`` means the
            memory's session.
        recall_from: Recall, forget and pin turns of all of the user's threads, or of the run's
            thread only; ``None`` means the user's if one is named, by the run, by ``user_id`` or by
            the memory, otherwise the thread.
        k: Maximum number of turns that ``recall`` returns; 5, as ``CompressiveMemory.recall`` has
            it.
        where: ``recall`` returns only turns that meet these conditions, as
            ``CompressiveMemory.recall`` has them.
        as_of: ``recall`` returns only what was known at this time, likewise.
        expires: How long after it was remembered something is gone; ``None`` means never.

    Returns:
        The tools ``remember``, ``recall``, ``forget`` and ``pin``, each sync and async.

    Raises:
        InvalidInputError: If an id is empty, ``recall_from`` is unknown, ``k`` is too small, or a
            lookup or a write would not take the rest. A call of a run that has an empty id raises
            it too.
    """
    scope = Scope(memory, user_id, thread_id, recall_from)
    scope.check()
    check_count(k, "k")
    check_options(where=where, as_of=as_of, expires=expires)

    def remember(text: str) -> str:
        """Remember something for later conversations, word for word."""
        memory = scope.place().memory
        with _telling_the_model():
            turn = memory.remember("assistant", text, key=_key(text), expires=expires)
        return f"Remembered as turn {turn.id}."

    def recall(query: str) -> str:
        """Look up what was said or noted before, in this conversation and in earlier ones."""
        place = scope.place()
        with _telling_the_model():
            return _shown(
                place.memory.recall(query, k, sessions=place.sessions, where=where, as_of=as_of)
            )

    def forget(turn_ids: list[int]) -> str:
        """Forget turns for good. Only do so when you are asked to."""
        place = scope.place()
        with _telling_the_model():
            memory = _holding(place, turn_ids, "nothing was forgotten")
            return f"Forgot {memory.forget(turn_ids=turn_ids).turns} turns."

    def pin(turn_ids: list[int], pinned: bool = True) -> str:
        """Keep turns in view from now on, and from expiring: for what must never be missed."""
        place = scope.place()
        with _telling_the_model():
            memory = _holding(place, turn_ids, "nothing was pinned")
            memory.pin(turn_ids, pinned=pinned)
            return f"{'Pinned' if pinned else 'Unpinned'} {len(set(turn_ids))} turns."

    return [
        _tool(remember, _Remember),
        _tool(recall, _Recall),
        _tool(forget, _Forget),
        _tool(pin, _Pin),
    ]


def _holding(place: Place, turn_ids: list[int], outcome: str) -> CompressiveMemory:
    # The memory, if what it may recall has these turns.
    for session in place.sessions or ():
        if missing := set(turn_ids).difference(place.memory.turn_ids(session)):
            raise NotFoundError(f"no turn {min(missing)} in this conversation; {outcome}")
    return place.memory


@contextmanager
def _telling_the_model() -> Iterator[None]:
    # What it asked for is at fault, so it can ask again.
    try:
        yield
    except (InvalidInputError, NotFoundError) as error:
        raise ToolException(str(error)) from error


def _key(text: str) -> str | None:
    call = _call.get()
    return None if call is None else note_key(call, text)


def _tool(function: Callable[..., str], schema: type[BaseModel]) -> BaseTool:
    # Without a coroutine of its own a tool runs its function in a thread when it is awaited.
    return _MemoryTool.from_function(function, args_schema=schema, handle_tool_error=True)


def _shown(hits: list[Recollection]) -> str:
    if not hits:
        return NOTHING_FOUND
    return mark_recalled("\n".join(f"turn {hit.turn.id} {turn_line(hit.turn)}" for hit in hits))
