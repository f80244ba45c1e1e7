"""What is damaged in a file: found, named, and left out of what is returned."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from r3mem_agents.errors import DamageWarning, ExpansionError
from r3mem_agents.store import IndexColumns
from r3mem_agents.types import DamagedTurn

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens

MAX_NAMED = 5
"""Damaged turns that a message names, before it counts the others."""

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
    """Read items together, and those around a damaged one in ever smaller parts.

    Args:
        read: Gives a result for each item, or fails for all of them.
        items: What to read.
        expected: How it fails where an item is damaged.

    Returns:
        A result for each item, or the error of that item alone.
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
    """Turns as a message names them, and what to do about them."""
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


def indexable(rows: IndexColumns, gist_bytes: int, term_bytes: int) -> IndexColumns:
    """The rows that a lookup can take; tells of the others."""
    kinds = (int, int, int, int, bytes, bytes)
    columns = zip(rows, kinds, strict=True)
    if all(set(map(type, column)) <= {kind} for column, kind in columns) and not (
        _broken(rows.gists, gist_bytes) or _broken(rows.terms, term_bytes)
    ):
        return rows
    sound = [
        row
        for row in zip(*rows, strict=True)
        if all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True))
        and not len(row[4]) % gist_bytes
        and not len(row[5]) % term_bytes
    ]
    lost = sorted({*rows.ids} - {row[0] for row in sound})
    tell(f"damaged and left out of lookups: turns {', '.join(map(str, lost))}. To do: {ADVICE}")
    return (
        IndexColumns(*zip(*sound, strict=True)) if sound else IndexColumns((), (), (), (), (), ())
    )


def _broken(values: Iterable[bytes], size: int) -> bool:
    return any(len(value) % size for value in values)


def expanded(
    expand: Callable[[Sequence[MemoryTokens]], list[str]], tokens: Sequence[MemoryTokens]
) -> list[str | None]:
    """Texts of memory tokens; ``None`` for those that do not expand."""
    texts = each_apart(expand, tokens)
    return [text if isinstance(text, str) else None for text in texts]
