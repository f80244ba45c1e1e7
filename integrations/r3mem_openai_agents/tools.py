"""A memory as tools of an agent."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from agents import FunctionTool, RunContextWrapper, function_tool
from agents.tool_context import ToolContext

from r3mem_agents.prompts import Place, RecallFrom, check_options, memory_tools, recall_sessions
from r3mem_openai_agents.session import R3Session

_run: ContextVar[ToolContext[Any]] = ContextVar("r3mem_run")
"""The run that calls, with the call."""


def as_tools(
    session: R3Session | Callable[[Any], R3Session],
    *,
    recall_from: RecallFrom | None = None,
    k: int = 5,
    where: Mapping[str, Any] | None = None,
    as_of: datetime | None = None,
    expires: timedelta | None = None,
) -> list[FunctionTool]:
    """Let a model remember, recall, forget and pin by itself.

    What it remembers is a turn of the conversation that no ``get_items`` returns. What ``recall``
    returns is marked, so that the session does not store it again. A call that is repeated with the
    same id and text remembers once.

    Args:
        session: The session of the run; or, for an agent of many users, what gets the context of a
            run and returns its session.
        recall_from: Recall, forget and pin turns of all of the user's sessions, or of this one
            only; ``None`` means the user's if the session or its memory names one, otherwise this
            one.
        k: Maximum number of turns that ``recall`` returns; 5, as ``CompressiveMemory.recall`` has
            it.
        where: ``recall`` returns only turns that meet these conditions, as
            ``CompressiveMemory.recall`` has them.
        as_of: ``recall`` returns only what was known at this time, likewise.
        expires: How long after it was remembered something is gone; ``None`` means never.

    Returns:
        The tools ``remember``, ``recall``, ``forget`` and ``pin``.

    Raises:
        InvalidInputError: If ``recall_from`` is unknown, ``k`` is too small, or a lookup or a write
            would not take the rest.

    Example:
        >>> def session_of(context): return R3Session(memory, context.thread, user_id=context.user)
        >>> agent = Agent("helper", tools=[*as_tools(session_of)])
    """
    check_options(recall_from=recall_from)

    def place() -> Place:
        of_run = session if isinstance(session, R3Session) else session(_run.get().context)
        return Place(of_run.memory, recall_sessions(of_run.memory, recall_from))

    functions = memory_tools(
        place,
        k=k,
        where=where,
        as_of=as_of,
        expires=expires,
        call=lambda: _run.get().tool_call_id,
        mistake=_Mistake,
    )
    told = function_tool(failure_error_function=_told)
    return [told(_with_run(one)) for one in functions]


class _Mistake(Exception):
    """What the model asked for is at fault, so it can ask again."""


def _told(_: RunContextWrapper[Any], error: Exception) -> str:
    # What else goes wrong is the host's to know.
    if isinstance(error, _Mistake):
        return str(error)
    raise error


def _with_run(function: Callable[..., str]) -> Callable[..., str]:
    # The host gives a tool its run as the first argument.
    @functools.wraps(function)
    def tool(run: ToolContext[Any], *args: Any, **kwargs: Any) -> str:
        token = _run.set(run)
        try:
            return function(*args, **kwargs)
        finally:
            _run.reset(token)

    before = inspect.Parameter("run", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.signature(function)
    tool.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[before, *signature.parameters.values()]
    )
    tool.__annotations__ = {"run": ToolContext[Any]} | function.__annotations__
    return tool
