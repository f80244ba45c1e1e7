"""What a manager injects into a prompt, with who said it and when."""

from __future__ import annotations

from datetime import datetime

from strands.memory import InjectionFormatContext, MemoryEntry

from r3mem_agents.prompts import mark_recalled, quoted, turn_line
from r3mem_agents.types import StoredTurn


def dated(context: InjectionFormatContext) -> str:
    """Dated lines with their speakers, marked as a quotation; those of other stores have neither.

    Args:
        context: The host's, with the entries that are injected.

    Example:
        >>> MemoryManager(stores=[store], injection={"format": dated})
    """
    return mark_recalled("\n".join(map(_line, context.entries)))


def _line(entry: MemoryEntry) -> str:
    known = entry.metadata or {}
    if not {"turn_id", "session", "role", "time"} <= known.keys():
        return quoted(entry.content)
    return turn_line(
        StoredTurn(
            id=known["turn_id"],
            session=known["session"],
            role=known["role"],
            name=known.get("name"),
            time=datetime.fromisoformat(known["time"]),
            text=entry.content,
        )
    )
