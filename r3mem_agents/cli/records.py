"""Turns, recollections and receipts as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from r3mem_agents.types import Receipt, Recollection, Recollections, StoredTurn


def turn_record(turn: StoredTurn) -> dict[str, Any]:
    """A turn as JSON: all fields, the time in ISO 8601."""
    return {
        "id": turn.id,
        "session": turn.session,
        "role": turn.role,
        "name": turn.name,
        "time": turn.time.isoformat(),
        "text": turn.text,
        "metadata": dict(turn.metadata) or None,
        "key": turn.key,
        "expires": None if turn.expires is None else turn.expires.isoformat(),
        "pinned": turn.pinned,
    }


def recollections_record(hits: Recollections) -> list[dict[str, Any]] | dict[str, Any]:
    """Recollections as JSON, under ``recalled`` if there is an explanation beside them."""
    recalled = [recollection_record(hit) for hit in hits]
    if hits.explanation is None:
        return recalled
    return {"explanation": asdict(hits.explanation), "recalled": recalled}


def recollection_record(hit: Recollection) -> dict[str, Any]:
    """A recollection as JSON: its turn's fields beside its own."""
    turn = turn_record(hit.turn)
    return {
        "turn_id": turn.pop("id"),
        "score": hit.score,
        **turn,
        "metadata": turn["metadata"] or {},
        "superseded_by": hit.superseded_by,
        **({"explanation": asdict(hit.explanation)} if hit.explanation else {}),
    }


def receipt_record(receipt: Receipt) -> dict[str, Any]:
    """A receipt as JSON: all fields, the time in ISO 8601."""
    return asdict(receipt) | {"scrubbed": receipt.scrubbed.isoformat()}
