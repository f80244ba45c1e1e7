"""Recollections as one string for a prompt: dated, with speakers, within a token budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory.quoting import MARK, escape_tags, label, quoted
from r3mem_agents.timestamps import wall_clock
from r3mem_agents.types import Recollection, StoredTurn
from r3mem_agents.validation import check_text

TokenCounter = Callable[[str], int]
"""Counts the tokens of a text."""

NOTHING_FOUND = "Nothing relevant was found in memory."
"""A context's text when nothing answers the question."""

NOTHING_FITS = "Something relevant is in memory, but it does not fit here."
"""A context's text when there is an answer, but no turn of it fits the budget."""


@dataclass(slots=True)
class Budget:
    """The tokens that a context may still take.

    Attributes:
        left: How many.
    """

    left: int


class Composed(NamedTuple):
    """A string for a prompt, and what is in it.

    Attributes:
        text: Lines ``[2026-11-20 14:03] Alice (user): text`` in chronological order, under a
            heading per session; the further lines of a text are indented.
        taken: The recollections in it, best first.
    """

    text: str
    taken: tuple[Recollection, ...]


def compose(
    batches: Iterable[Iterable[Recollection | None]],
    budget: Budget,
    count: TokenCounter,
    nothing: str | None = None,
    now: datetime | None = None,
) -> Composed:
    """Take recollections best first as long as they fit, and write them in chronological order.

    Those of pinned turns are written before the others.

    One that does not fit is skipped, so that a long turn does not exclude shorter ones; after a
    batch in which nothing fits, no more is read.

    Args:
        batches: Recollections, best first; ``None`` for one that is known not to fit. They are
            read one by one, as what is left decides which are read at all.
        budget: Maximum number of tokens of the result; what recollections take is taken off it.
        count: Counts the tokens of a text.
        nothing: The text when nothing is found or fits; ``None`` means a sentence that says so. If
            even that does not fit, the text is empty.
        now: In whose zone times are written; ``None`` means the local one.

    Raises:
        InvalidInputError: If ``count`` cannot be called, or ``nothing`` is no text.
    """
    if not callable(count):
        raise InvalidInputError(
            f"count must be a function of a text, not {type(count).__name__}, such as "
            "lambda text: len(encoding.encode(text))"
        )
    if nothing is not None:
        check_text(nothing, "nothing")
    taken: list[Recollection] = []
    token_budget = budget.left
    found = False
    for batch in batches:
        fits = False
        for one in batch:
            found = True
            if one is None:
                continue
            cost = count(turn_line(one.turn, now) + "\n")
            if all(_place(one) != _place(other) for other in taken):
                cost += count(_heading(one.turn.session) + "\n")
            if cost <= budget.left:
                taken.append(one)
                budget.left -= cost
                fits = True
        if not fits:
            break
    # Tokens may merge differently in the whole than in its lines, so the whole is counted too.
    while taken and count(text := _write(taken, now)) > token_budget:
        taken.pop()
    if taken:
        return Composed(text, tuple(taken))
    if nothing is None:
        nothing = NOTHING_FITS if found else NOTHING_FOUND
    return Composed(nothing if count(nothing) <= token_budget else "", ())


def _place(one: Recollection) -> tuple[bool, str]:
    # Turns under one heading.
    return one.turn.pinned, one.turn.session


def _write(taken: Sequence[Recollection], now: datetime | None) -> str:
    sessions: dict[tuple[bool, str], list[StoredTurn]] = {}
    turns = [one.turn for one in taken]
    for turn in sorted(turns, key=lambda turn: (not turn.pinned, turn.time, turn.id)):
        sessions.setdefault((turn.pinned, turn.session), []).append(turn)
    lines: list[str] = []
    for (_, session), members in sessions.items():
        lines.append(_heading(session))
        lines.extend(turn_line(turn, now) for turn in members)
    return "\n".join(lines)


def _heading(session: str) -> str:
    return f"Session {escape_tags(' '.join(session.split()), MARK)}:"


def turn_line(turn: StoredTurn, now: datetime | None = None) -> str:
    """Write one turn with its time and speaker; nothing in it can be taken for another turn.

    A passage of a document has its place instead of a speaker.

    Args:
        turn: The turn.
        now: In whose zone its time is written; ``None`` means the local one.
    """
    speaker, text = label(turn.role), turn.text
    if turn.place is not None:
        speaker, text = label(turn.place), text.strip()
    elif turn.name and turn.name.split():
        speaker = f"{label(turn.name)} ({speaker})"
    return f"[{wall_clock(turn.time, now)}] {speaker}: {quoted(text)}"
