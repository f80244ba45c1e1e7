"""What is counted of a turn when it is compressed, in as few bytes as it takes."""

from __future__ import annotations

from typing import NamedTuple

from r3mem_agents.store.records import NewCode, NewTurn
from r3mem_agents.store.varints import varints


class Counts(NamedTuple):
    """As of ``NewTurn``: varints in this order, of which zeros at the end are left out."""

    tokens: int = 0
    text_bytes: int = 0
    inferred: int = 0
    packed: int = 0
    literal: int = 0


def pack_counts(turn: NewTurn | NewCode) -> bytes:
    """The counts of a turn as bytes."""
    values = (turn.tokens, turn.text_bytes, turn.inferred, turn.packed, turn.literal)
    return varints(values).rstrip(b"\0")


def read_counts(data: object) -> Counts | None:
    """Undo ``pack_counts``; ``None`` for what is damaged."""
    if not isinstance(data, bytes):
        return None
    values: list[int] = []
    number = bits = 0
    for byte in data:  # a handful, so that arrays would take longer
        number |= (byte & 127) << bits
        bits += 7
        if byte < 128:
            values.append(number)
            number = bits = 0
    return Counts(*values) if len(values) <= len(Counts._fields) else None
