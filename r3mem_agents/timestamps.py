"""Times as people read them."""

from __future__ import annotations

from datetime import datetime


def wall_clock(time: datetime, now: datetime | None = None) -> str:
    """A time as whoever asks reads it off a clock: ``2026-11-20 14:03``.

    Args:
        time: The time, with a zone.
        now: The time of the question, in whose zone it is shown; ``None`` means the local one.
    """
    try:
        here = time.astimezone(None if now is None else now.tzinfo)
    except (OverflowError, OSError, ValueError):  # next to the years 1 and 9999
        here = time
    return here.replace(tzinfo=None).isoformat(" ", "minutes")
