"""Checksums by which damage to a row is seen: they cover all that a reader is shown of a turn."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

from r3mem_agents.store.records import Label, NewTurn, Scope, TurnRow

ABSENT = -1
"""Stands for the length of a value that is not there."""


def row_checksum(numbers: Sequence[int], values: Sequence[bytes | None] = ()) -> int:
    """CRC-32 of numbers, of the lengths of values and of these, little-endian.

    Raises:
        TypeError: A damaged value has another type than its column.
        struct.error: So has a damaged number.
    """
    lengths = [ABSENT if value is None else len(value) for value in values]
    packed = struct.pack(f"<{len(numbers) + len(lengths)}q", *numbers, *lengths)
    return signed(zlib.crc32(packed + b"".join(value for value in values if value is not None)))


def signed(crc: int) -> int:
    """A CRC-32 as a signed number, which takes four bytes in a row."""
    return int.from_bytes(crc.to_bytes(4), signed=True)


def turn_checksum(
    scope: Scope, session: Label, speaker: Label, model: int, turn: NewTurn | TurnRow
) -> int:
    """CRC-32 of a turn, its model's number, and the names that it refers to, whatever their ids.

    Names count by their keyed hashes, which whoever reveals them compares.

    Raises:
        TypeError: A damaged value has another type than its column.
        struct.error: So has a damaged number.
    """
    own = (turn.code, turn.gists, turn.key, turn.extra)
    values: Sequence[bytes | None] = (scope.user, scope.agent, session.digest, speaker.digest, *own)
    return row_checksum((model, turn.time_us, turn.offset_s), values)


def is_intact(scope: Scope, turn: TurnRow, model: int, checksum: int) -> bool:
    """Whether a turn is what was written, and so are the names that it refers to."""
    if turn.session is None or turn.speaker is None:
        return False
    try:
        return turn_checksum(scope, turn.session, turn.speaker, model, turn) == checksum
    except (TypeError, struct.error):
        return False
