"""What an adapter is given once for all that it looks up and writes, checked before it is used."""

from __future__ import annotations

from datetime import timedelta

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory.where import check_where
from r3mem_agents.validation import check_expiry, check_time


def check_options(
    *,
    where: object = None,
    as_of: object = None,
    expires: object = None,
    recall_from: object = None,
    on_error: object = "raise",
) -> None:
    """Refuse what no lookup, or no write, would take; ``None`` is taken by all but the last.

    Args:
        where: Conditions of lookups, as ``CompressiveMemory.recall`` takes them.
        as_of: The time whose knowledge lookups have.
        expires: How long what is written lives.
        recall_from: The reach of lookups, as ``recall_sessions`` has it.
        on_error: What to do with errors, as ``raise_or_log`` has it.

    Raises:
        InvalidInputError: If one of them is refused.
    """
    if on_error not in ("raise", "log"):
        raise InvalidInputError(f"on_error is {on_error!r}; it must be 'raise' or 'log'")
    if recall_from not in ("user", "session", None):
        raise InvalidInputError(f"recall_from is {recall_from!r}; it must be 'user' or 'session'")
    if where is not None:
        check_where(where)
    if as_of is not None:
        check_time(as_of, "as_of")
    if expires is None:
        return
    if not isinstance(expires, timedelta):
        raise InvalidInputError(
            f"expires must be a timedelta, not {type(expires).__name__}: turns are written at "
            "different times; give one a time of its own with memory.remember(..., expires=...)"
        )
    check_expiry(expires, "expires")


def check_ids(**ids: str | None) -> None:
    """Refuse empty ids, by name: nobody is called so.

    Raises:
        InvalidInputError: If one of them is empty.
    """
    for name, value in ids.items():
        if value == "":
            raise InvalidInputError(f"{name} is empty; give an id, or None if there is none")
