"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


class _Local(tzinfo):
    """The zone of this machine, with its summers, which ``astimezone`` knows of each time alone."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> None:
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        return dt.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)


LOCAL = _Local()
"""The zone of times for which nobody names one."""


def wall_clock(time: datetime, now: datetime | None = None) -> str:
    """A time as whoever asks reads it off a clock: ``2026-11-20 14:03``.

    Args:
        time: The time, with a zone.
        now: The time of the question, in whose zone it is shown; ``None`` means the local one.
    """
    try:
        here = time.astimezone(LOCAL if now is None else now.tzinfo)
    except (OverflowError, OSError, ValueError):  # next to the years 1 and 9999
        here = time
    return here.replace(tzinfo=None).isoformat(" ", "minutes")
