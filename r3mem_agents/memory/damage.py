"""Damage in a file: found, reported, and left out of results."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from r3mem_agents.errors import DamageWarning, ExpansionError
from r3mem_agents.store import IndexColumns
from r3mem_agents.types import DamagedTurn

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens

MAX_NAMED = 5
"""Maximum number of damaged turns that a message names; it counts the others."""

NOT_AS_WRITTEN = "its bytes are not those that were written"
NO_SESSION = "the row of its session is damaged"
NO_SPEAKER = "the row of its speaker is damaged"
OTHER_MODEL = "only the checkpoint that wrote it can expand it, and that is not at hand"
NOT_EXPANDED = "its memory tokens are those that were written, but do not expand to its text"

ADVICE = (
    "restore the file from a backup, or remove what is damaged with "
    "forget(turn_ids=[...]); verify() checks the whole file"
)

T = TypeVar("T")
R = TypeVar("R")


def each_apart(
    read: Callable[[Sequence[T]], Sequence[R]],
    items: Sequence[T],
    expected: type[Exception] = ExpansionError,
) -> list[R | Exception]:
    """Read items together; if that fails, find the damaged ones by bisection.

    Args:
        read: Returns a result for each item, or fails for all of them.
        items: The items to read.
        expected: The error that a damaged item raises.

    Returns:
        For each item its result, or the error that it raises on its own.
    """
    if not items:
        return []
    try:
        return list(read(items))
    except expected as error:
        if len(items) == 1:
            return [error]
        half = len(items) // 2
        return each_apart(read, items[:half], expected) + each_apart(read, items[half:], expected)


def named(damaged: Sequence[DamagedTurn]) -> str:
    """Return a message that names damaged turns and says what to do about them."""
    parts = [f"{_name(turn)}: {turn.reason}" for turn in damaged[:MAX_NAMED]]
    if more := len(damaged) - MAX_NAMED:
        parts += [f"{more} more"] if more > 0 else []
    return f"damaged and left out: {'; '.join(parts)}. To do: {ADVICE}"


def _name(turn: DamagedTurn) -> str:
    session = "an unknown session" if turn.session is None else f"session {turn.session!r}"
    when = "at an unknown time" if turn.time is None else f"of {turn.time.isoformat(' ')}"
    return f"turn {turn.id} in {session} {when}"


def tell(message: str) -> None:
    """Warn that something was left out."""
    warnings.warn(message, DamageWarning, stacklevel=2)


def indexable(rows: IndexColumns, unsound: Sequence[int], gist_bytes: int) -> IndexColumns:
    """Return the rows that a lookup can use, and warn of the others.

    What blocks say of turns has a checksum, which was compared; times and gists have not been.

    Args:
        rows: Rows of a store.
        unsound: Ids of the turns that are not among them, since their values are none.
        gist_bytes: Number of bytes in a gist.
    """
    cut = rows.gist_sizes % gist_bytes > 0
    if not len(unsound) and not cut.any():
        return rows
    lost = ", ".join(map(str, sorted([*unsound, *rows.ids[cut].tolist()])))
    tell(f"damaged and left out of lookups: turns {lost}. To do: {ADVICE}")
    return rows.part(~cut)


def expanded(
    expand: Callable[[Sequence[MemoryTokens]], list[str]], tokens: Sequence[MemoryTokens]
) -> list[str | None]:
    """Expand memory tokens to texts; ``None`` for those that do not expand."""
    texts = each_apart(expand, tokens)
    return [text if isinstance(text, str) else None for text in texts]
