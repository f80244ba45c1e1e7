"""Times as integers, and in readable form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from time import time_ns
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
DAY_US = 86_400_000_000

EVER_US = 10**18
"""Microseconds farther from 1970 than any turn."""


class Span(NamedTuple):
    """A time from ``start`` up to ``end``, excluded; microseconds since 1970 in UTC.

    Attributes:
        start: Its first microsecond.
        end: The microsecond after its last.
        fade: Distance at which half of its evidence is left; 0 means its own length.
    """

    start: int
    end: int
    fade: int = 0


def to_integers(time: datetime) -> tuple[int, int]:
    """Return an aware time as microseconds since 1970 in UTC, and seconds east of UTC."""
    offset = time.utcoffset()
    assert offset is not None, "naive times are refused at the door"
    # Not by astimezone, which overflows near the years 1 and 9999.
    elapsed = time.replace(tzinfo=None) - EPOCH - offset
    return elapsed // MICROSECOND, round(offset.total_seconds())


def from_integers(time_us: int, offset_s: int) -> datetime:
    """Return the moment in a zone with this offset."""
    offset = timedelta(seconds=offset_s)
    return (EPOCH + (timedelta(microseconds=time_us) + offset)).replace(tzinfo=timezone(offset))


def now_us() -> int:
    """Return the time of this machine's clock in microseconds since 1970 in UTC."""
    return time_ns() // 1000


def settle(time: datetime) -> datetime:
    """Return a time as it will be read back: with a fixed offset for its zone.

    Python treats a time that a zone repeats or skips as unequal to the same moment in any other
    zone, so a turn is returned with exactly the time that a later read will give.
    """
    return from_integers(*to_integers(time))


def moment(when: datetime | timedelta, now: datetime) -> datetime:
    """Return a time, or one so long after ``now``, in UTC.

    Raises:
        OverflowError: If it is beyond the year 9999.
    """
    time = now + when if isinstance(when, timedelta) else when
    return from_integers(to_integers(time)[0], 0)


class _Local(tzinfo):
    """The zone of this machine, whose offset ``astimezone`` determines for each time."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> None:
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        return dt.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)


LOCAL = _Local()
"""The zone of times that have none."""


def wall_clock(time: datetime, now: datetime | None = None) -> str:
    """Return a time as on a clock: ``2026-11-20 14:03``.

    Args:
        time: The time, with a zone.
        now: The time of the question, in whose zone it is shown; ``None`` means the local one.
    """
    try:
        here = time.astimezone(LOCAL if now is None else now.tzinfo)
    except (OverflowError, OSError, ValueError):  # next to the years 1 and 9999
        here = time
    return here.replace(tzinfo=None).isoformat(" ", "minutes")
