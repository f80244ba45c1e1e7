"""Resources: the list of sessions, and the turns of each, a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from mcp_types import (
    Completion,
    CompletionArgument,
    PromptReference,
    Resource,
    ResourceTemplateReference,
)

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.server.mcp import results as give
from r3mem_agents.server.mcp.arguments import MAX_TURNS
from r3mem_agents.server.pages import session_page

SESSIONS = "r3mem://sessions"
SESSION = f"{SESSIONS}/{{name}}{{?before}}"
JSON = "application/json"


class MemoryResources:
    """The resources, over the memory of the current request."""

    def __init__(self, memory: Callable[[], CompressiveMemory]) -> None:
        self._memory = memory

    def sessions(self) -> give.SessionList:
        """The sessions that are remembered: the newest 100, and how many there are in all."""
        return give.sessions(self._memory().session_stats(), MAX_TURNS)

    def session(self, name: str, before: int | None = None) -> give.History:
        """The newest 100 turns of a session; for earlier ones, ?before=ID with its next as ID."""
        return give.history(session_page(self._memory(), name, MAX_TURNS, before))

    def listed(self) -> list[Resource]:
        """A resource for each of the newest 100 sessions."""
        names = self._memory().sessions()[-MAX_TURNS:]
        return [
            Resource(uri=f"{SESSIONS}/{quote(name, safe='')}", name=name, mime_type=JSON)
            for name in names
        ]

    def completed(
        self, ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument
    ) -> Completion | None:
        """The names of sessions that begin as one does, the newest first."""
        if not isinstance(ref, ResourceTemplateReference):
            return None
        if (ref.uri, argument.name) != (SESSION, "name"):
            return None
        names = [
            one for one in reversed(self._memory().sessions()) if one.startswith(argument.value)
        ]
        return Completion(
            values=names[:MAX_TURNS], total=len(names), has_more=len(names) > MAX_TURNS
        )
