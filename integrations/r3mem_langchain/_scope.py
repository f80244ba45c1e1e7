"""The user and the thread of a run, and the sessions that it may recall from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config

from r3mem_agents import CompressiveMemory
from r3mem_agents.prompts import Place, RecallFrom, check_ids, place_of, recall_sessions

USER = "user_id"
THREAD = "thread_id"

CALLED_BY_TOOL = "tools:"
"""Prefix of the part of a run's checkpoint namespace in which an agent's tools run."""


class Scope(NamedTuple):
    """An adapter's settings, by which it finds the place of each run.

    Attributes:
        memory: The memory.
        user_id: Counts if the run names no user.
        thread_id: Counts if the run has no thread.
        recall_from: The reach of a run's lookups, as ``recall_sessions`` has it.
    """

    memory: CompressiveMemory
    user_id: str | None = None
    thread_id: str | None = None
    recall_from: RecallFrom | None = None

    def check(self) -> None:
        """Refuse what cannot name anybody or anything.

        Raises:
            InvalidInputError: If an id is empty, or ``recall_from`` is unknown.
        """
        check_ids(user_id=self.user_id, thread_id=self.thread_id)
        recall_sessions(self.memory, self.recall_from)

    def place(self) -> Place:
        """The place of the run that calls this.

        The run's context counts first, with an attribute or key ``user_id`` or ``thread_id``; then
        the ``configurable`` of its configuration; then what was given here; then the memory's own
        names.

        Raises:
            InvalidInputError: If the run names somebody or a thread by an empty id.
        """
        config = ensure_config()
        places = (_context(config), config.get("configurable"))
        user = _named(USER, places) or self.user_id
        thread = _named(THREAD, places) or self.thread_id
        return place_of(self.memory, user=user, session=thread, recall_from=self.recall_from)


def called_by_tool() -> bool:
    """True if the agent that calls this is run by a tool of another one."""
    config = ensure_config()
    here = str(config.get("configurable", {}).get("checkpoint_ns", ""))
    # What a tool configures anew loses its place there, but not in the metadata.
    caller = str(config.get("metadata", {}).get("checkpoint_ns", ""))
    parts = [*here.split("|")[:-1], *caller.split("|")]
    return any(part.startswith(CALLED_BY_TOOL) for part in parts)


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
            check_ids(**{name: str(value)})
            return str(value)
    return None
