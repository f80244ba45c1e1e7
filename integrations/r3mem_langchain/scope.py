"""Whose memory a run of a graph uses, and for which conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig

from r3mem_agents import CompressiveMemory

USER = "user_id"
THREAD = "thread_id"


def scoped(
    memory: CompressiveMemory,
    context: object,
    config: RunnableConfig | None,
    user_id: str | None = None,
    thread_id: str | None = None,
) -> CompressiveMemory:
    """Bind a memory to the user and thread of a run.

    Args:
        memory: Its own user and session are the last resort.
        context: The run's context; an attribute or key ``user_id`` or ``thread_id`` counts first.
        config: The run's configuration, whose ``configurable`` counts next.
        user_id: Counts if neither names a user.
        thread_id: Counts if neither names a thread.
    """
    places = (context, (config or {}).get("configurable"))
    return memory.scoped(
        user=_named(USER, places) or user_id, session=_named(THREAD, places) or thread_id
    )


def _named(name: str, places: tuple[Any, ...]) -> str | None:
    for place in places:
        value = place.get(name) if isinstance(place, Mapping) else getattr(place, name, None)
        if value is not None:
            return str(value)
    return None
