"""A memory as a field of the host's pydantic models."""

from __future__ import annotations

import os
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from r3mem_agents import CompressiveMemory


def _open(value: object) -> object:
    match value:
        case str() | os.PathLike():
            return CompressiveMemory(value)
        case {"location": str(location), "user": user, "agent": agent, "session": session}:
            return CompressiveMemory(location, user=user, agent=agent, session=session)
    return value


def _handle(memory: CompressiveMemory) -> dict[str, Any]:
    return {
        "location": memory.location,
        "user": memory.user,
        "agent": memory.agent,
        "session": memory.session,
    }


MemoryField = Annotated[
    CompressiveMemory,
    BeforeValidator(_open),
    PlainSerializer(_handle, when_used="json"),
    WithJsonSchema({"type": "object"}),
]
"""Given as a memory or as the path of one; written to JSON as what opens it again.

A memory with a model that is not the bundled one cannot be opened from JSON.
"""
