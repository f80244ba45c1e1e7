"""Turns as a caller knows them, to and from the rows of a store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from r3mem_agents.memory.lookup.index import Speaker
from r3mem_agents.memory.lookup.terms import hashed_terms, terms
from r3mem_agents.memory.moments import from_integers, to_integers
from r3mem_agents.memory.sealing import Sealer
from r3mem_agents.memory.validation import metadata_json
from r3mem_agents.store import Label, NewTurn, TurnRow
from r3mem_agents.types import Turn

if TYPE_CHECKING:
    from r3mem_agents.model import Segment


def close_turn(sealer: Sealer, turn: Turn, segment: Segment) -> NewTurn:
    """A turn with its session and time filled in, as a row."""
    assert turn.session is not None and turn.time is not None
    time_us, offset_s = to_integers(turn.time)
    speaker = json.dumps([turn.role, turn.name], separators=(",", ":"))
    extra = None
    if turn.metadata is not None:
        extra = sealer.seal(metadata_json(turn.metadata, "metadata"))
    return NewTurn(
        session=_label(sealer, "session", turn.session),
        speaker=_label(sealer, "speaker", speaker),
        time_us=time_us,
        offset_s=offset_s,
        code=segment.code,
        gists=segment.gists,
        terms=b"".join(sorted(sealer.term(term) for term in terms(turn.text))),
        key=None if turn.key is None else sealer.mask(turn.key),
        extra=extra,
        tokens=segment.tokens,
        text_bytes=segment.text_bytes,
        inferred=segment.inferred,
        packed=segment.packed,
        literal=segment.literal,
    )


def _label(sealer: Sealer, kind: str, value: str) -> Label:
    return Label(sealer.digest(kind, value), sealer.seal(value))


def open_turn(sealer: Sealer, row: TurnRow, text: str) -> Turn:
    """A row and its expanded text as a turn."""
    role, name = json.loads(sealer.unseal(row.speaker))
    metadata: dict[str, Any] | None = None
    if row.extra is not None:
        metadata = json.loads(sealer.unseal(row.extra))
    return Turn(
        role=role,
        text=text,
        name=name,
        session=sealer.unseal(row.session),
        time=from_integers(row.time_us, row.offset_s),
        metadata=metadata,
        key=None if row.key is None else sealer.unmask(row.key),
        id=row.id,
    )


def open_speaker(sealer: Sealer, sealed: bytes) -> Speaker:
    """A sealed speaker, as a lookup needs it."""
    role, name = json.loads(sealer.unseal(sealed))
    return Speaker(role, name, frozenset(hashed_terms(sealer, name or "")))
