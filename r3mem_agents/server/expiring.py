"""When something is gone, as clients write it."""

from __future__ import annotations


def check_spelled(value: object) -> object:
    """Refuse a number, also one in quotes, where an expiry is wanted.

    It would be read as a time in 1970, and what expires then is gone at once.

    Raises:
        ValueError: It is one.
    """
    if isinstance(value, int | float) or (isinstance(value, str) and _is_number(value)):
        raise ValueError("give a time such as 2026-12-24T18:00:00Z, or a duration such as P30D")
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
