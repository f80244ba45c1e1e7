"""Whose memory a run uses, and for which conversation."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config

from r3mem_agents import CompressiveMemory

USER = "user_id"
THREAD = "thread_id"


def scoped(
    memory: CompressiveMemory, user_id: str | None = None, thread_id: str | None = None
) -> CompressiveMemory:
    """Bind a memory to the user and thread of the run that calls this.

    The run's context counts first, with an attribute or key ``user_id`` or ``thread_id``; then the
    ``configurable`` of its configuration; then what is given here; then the memory's own names.

    Args:
        memory: The memory.
        user_id: Counts if the run names no user.
        thread_id: Counts if the run has no thread.
    """
    config = ensure_config()
    places = (_context(config), config.get("configurable"))
    return memory.scoped(
        user=_named(USER, places) or user_id, session=_named(THREAD, places) or thread_id
    )


def _context(config: RunnableConfig) -> object:
    # Of the graph that is running, if it is one.
    if "langgraph.runtime" not in sys.modules or not config.get("configurable"):
        return None
    from langgraph.runtime import get_runtime  # optional, and loaded already

    try:
        runtime: Any = get_runtime()
    except (KeyError, RuntimeError):
        return None
    return getattr(runtime, "context", None)


def _named(name: str, places: tuple[Any, ...]) -> str | None:
    for place in places:
        value = place.get(name) if isinstance(place, Mapping) else getattr(place, name, None)
        if value is not None:
            return str(value)
    return None
