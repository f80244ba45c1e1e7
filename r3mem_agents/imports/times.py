"""Times as sources write them: ISO 8601, or seconds or milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from r3mem_agents.errors import InvalidInputError

NUMBER = re.compile(r"-?\d{9,}(\.\d*)?")
"""A text that counts seconds or milliseconds; shorter ones may be a year, or a day."""

MILLISECONDS = 10**11
"""From here on a number counts milliseconds: as seconds it would be the year 5138."""


def read_time(value: object, what: str, zone: tzinfo | None = None) -> datetime | None:
    """Read a time; ``None`` and an empty text are none.

    Args:
        value: ISO 8601, or a number, which may be written as a text.
        what: Whose time it is, for the error.
        zone: Of a time that names none; by default the one of this machine.

    Raises:
        InvalidInputError: It is no time.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            if not NUMBER.fullmatch(value.strip()):
                moment = datetime.fromisoformat(value.strip().replace(" UTC", "+00:00"))
                if moment.tzinfo:
                    return moment
                return moment.replace(tzinfo=zone) if zone else moment.astimezone()
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError
        seconds = value / 1000 if abs(value) >= MILLISECONDS else value
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        raise InvalidInputError(f"{what}: {value!r} is not a date; nothing was imported") from None
