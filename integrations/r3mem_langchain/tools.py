"""A memory as tools of an agent."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from r3mem_agents import CompressiveMemory
from r3mem_agents.prompts import RecallFrom, memory_tools
from r3mem_langchain._scope import Scope

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
    functions = memory_tools(
        scope.place,
        k=k,
        where=where,
        as_of=as_of,
        expires=expires,
        call=_call.get,
        mistake=ToolException,
    )
    # Without a coroutine of its own a tool runs its function in a thread when it is awaited.
    return [_MemoryTool.from_function(one, handle_tool_error=True) for one in functions]
