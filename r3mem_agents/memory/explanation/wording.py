"""Words, shares and spans of time in readable form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from r3mem_agents.timestamps import DAY_US, EVER_US, Span, from_integers, to_integers, wall_clock

HOUR_US = DAY_US // 24

FIRST_US = to_integers(datetime.fromisoformat("0001-01-02T00:00+00:00"))[0]
LAST_US = to_integers(datetime.fromisoformat("9999-12-30T00:00+00:00"))[0]


MAX_LISTED = 12
"""Maximum number of words that a reason lists; it counts the others."""


def listed(words: Sequence[str]) -> str:
    """Write words; if there are many, the first ones and the number of the others."""
    more = [f"{len(words) - MAX_LISTED:,} more"] if len(words) > MAX_LISTED else []
    return ", ".join([*words[:MAX_LISTED], *more])


def percent(share: float) -> str:
    """Write a share as ``12 %``."""
    return f"{100 * share:.0f} %"


def period(span: Span, now: datetime | None) -> str:
    """Write a span as days: ``2023-05-07``, ``2023-05-01 to 2023-05-31``, ``until``, ``since``.

    Args:
        span: The span.
        now: In whose zone a day begins; ``None`` means the local one.
    """
    first, last = _day(span.start, now), _day(span.end - 1, now)
    if span.start <= -EVER_US:
        return f"until {last}"
    if span.end >= EVER_US:
        return f"since {first}"
    return first if first == last else f"{first} to {last}"


def _day(time_us: int, now: datetime | None) -> str:
    inside = min(max(time_us, FIRST_US), LAST_US)
    return wall_clock(from_integers(inside, 0), now).partition(" ")[0]


def distance(time_us: int, span: Span) -> str:
    """Write how far away a time is: ``of that time``, ``3 days before``, ``5 hours after``."""
    if span.start <= time_us < span.end:
        return "of that time"
    before = time_us < span.start
    away = span.start - time_us if before else time_us - span.end + 1
    unit, size = ("day", DAY_US) if away >= DAY_US else ("hour", HOUR_US)
    count = round(away / size)
    length = f"{count:,} {unit}{'' if count == 1 else 's'}" if count else "less than an hour"
    return f"{length} {'before' if before else 'after'}"
