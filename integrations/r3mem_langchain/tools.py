"""A memory as tools of an agent."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from r3mem_agents import CompressiveMemory, Recollection, mark_recalled
from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.memory.context import NOTHING, line
from r3mem_langchain.scope import scoped

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


def as_tools(
    memory: CompressiveMemory,
    *,
    user_id: str | None = None,
    thread_id: str | None = None,
    k: int = 5,
) -> list[BaseTool]:
    """Let a model remember, recall and forget by itself.

    In a graph each call works on the memory of the run's user and notes go to its thread, as
    ``R3MemoryMiddleware`` finds them; elsewhere on the names given here. A call that is repeated
    with the same id remembers once. What ``recall`` returns is marked, so that
    ``R3MemoryMiddleware`` does not store it again.

    Args:
        memory: Where turns are kept.
        user_id: Whose memory, if the run names nobody; ``None`` means the memory's user.
        thread_id: Session of what is remembered, if the run has no thread; ``None`` means the
            memory's session.
        k: Most turns that ``recall`` returns; 5, as ``CompressiveMemory.recall`` has it.

    Returns:
        The tools ``remember``, ``recall`` and ``forget``, each sync and async.
    """

    def here() -> CompressiveMemory:
        return scoped(memory, user_id, thread_id)

    def remember(text: str) -> str:
        """Remember something for later conversations, word for word."""
        turn = here().remember("assistant", text, key=_call.get())
        return f"Remembered as turn {turn.id}."

    async def aremember(text: str) -> str:
        turn = await here().aremember("assistant", text, key=_call.get())
        return f"Remembered as turn {turn.id}."

    def recall(query: str) -> str:
        """Look up what was said or noted before, in this conversation and in earlier ones."""
        return _shown(here().recall(query, k))

    async def arecall(query: str) -> str:
        return _shown(await here().arecall(query, k))

    def forget(turn_ids: list[int]) -> str:
        """Forget turns for good. Only do so when you are asked to."""
        try:
            return f"Forgot {here().forget(turn_ids=turn_ids)} turns."
        except (InvalidInputError, NotFoundError) as error:
            raise ToolException(str(error)) from error

    async def aforget(turn_ids: list[int]) -> str:
        try:
            return f"Forgot {await here().aforget(turn_ids=turn_ids)} turns."
        except (InvalidInputError, NotFoundError) as error:
            raise ToolException(str(error)) from error

    return [
        _tool(remember, aremember, _Remember),
        _tool(recall, arecall, _Recall),
        _tool(forget, aforget, _Forget, handle_tool_error=True),
    ]


def _tool(
    function: Callable[..., Any],
    coroutine: Callable[..., Any],
    schema: type[BaseModel],
    **options: Any,
) -> BaseTool:
    return _MemoryTool.from_function(function, coroutine, args_schema=schema, **options)


def _shown(hits: list[Recollection]) -> str:
    if not hits:
        return NOTHING
    return mark_recalled("\n".join(f"turn {hit.turn_id} {line(hit)}" for hit in hits))
