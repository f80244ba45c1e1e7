"""When something is gone, as clients write it."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import TypeAdapter

_WHEN: TypeAdapter[datetime | timedelta] = TypeAdapter(datetime | timedelta)


def check_spelled(value: object) -> object:
    """Refuse what says no time and no duration where an expiry is wanted; numbers say neither.

    They would be read as a time in 1970, and what expires then is gone at once.

    Raises:
        ValueError: It is none.
    """
    number = isinstance(value, int | float)
    if number or (isinstance(value, str) and (_is_number(value) or not _says_when(value))):
        raise ValueError("give a time such as 2026-12-24T18:00:00Z, or a duration such as P30D")
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _says_when(text: str) -> bool:
    try:
        _WHEN.validate_python(text)
    except ValueError:  # which the type would tell once for each form that it is not
        return False
    return True
