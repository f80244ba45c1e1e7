"""Times with a zone, as two integers and back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)


def to_integers(time: datetime) -> tuple[int, int]:
    """Microseconds since 1970 in UTC, and seconds east of UTC, of an aware time."""
    offset = time.utcoffset()
    assert offset is not None, "naive times are refused at the door"
    # Not by astimezone: it overflows next to the years 1 and 9999.
    elapsed = time.replace(tzinfo=None) - EPOCH - offset
    return elapsed // MICROSECOND, round(offset.total_seconds())


def from_integers(time_us: int, offset_s: int) -> datetime:
    """The same moment, in a zone of the same offset."""
    offset = timedelta(seconds=offset_s)
    return (EPOCH + (timedelta(microseconds=time_us) + offset)).replace(tzinfo=timezone(offset))


def settle(time: datetime) -> datetime:
    """The same moment as it will come back: with a fixed offset for its zone.

    Python finds a time that a zone repeats or skips unequal to the same moment in any other zone,
    so a turn is given back with the very time that a later read will give.
    """
    return from_integers(*to_integers(time))
