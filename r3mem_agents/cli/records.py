"""Turns and recollections as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from r3mem_agents.types import Recollection, Recollections, Turn


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


def recollections_record(hits: Recollections) -> list[dict[str, Any]] | dict[str, Any]:
    """Recollections as JSON, under ``recalled`` if there is an explanation beside them."""
    recalled = [recollection_record(hit) for hit in hits]
    if hits.explanation is None:
        return recalled
    return {"explanation": asdict(hits.explanation), "recalled": recalled}


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
        "superseded_by": hit.superseded_by,
        **({"explanation": asdict(hit.explanation)} if hit.explanation else {}),
    }
