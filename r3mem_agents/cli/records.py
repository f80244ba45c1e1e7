"""Turns and recollections as JSON."""

from __future__ import annotations

from typing import Any

from r3mem_agents.types import Recollection, Turn


def turn_record(turn: Turn) -> dict[str, Any]:
    """A turn as JSON: all fields, the time in ISO 8601."""
    return {
        "id": turn.id,
        "session": turn.session,
        "role": turn.role,
        "name": turn.name,
        "time": turn.time.isoformat() if turn.time else None,
        "text": turn.text,
        "metadata": dict(turn.metadata) if turn.metadata is not None else None,
        "key": turn.key,
    }


def recollection_record(hit: Recollection) -> dict[str, Any]:
    """A recollection as JSON: all fields, the time in ISO 8601."""
    return {
        "turn_id": hit.turn_id,
        "score": hit.score,
        "session": hit.session,
        "role": hit.role,
        "name": hit.name,
        "time": hit.time.isoformat(),
        "text": hit.text,
        "metadata": dict(hit.metadata),
        "key": hit.key,
        "evidence": dict(hit.evidence),
        "superseded_by": hit.superseded_by,
    }
