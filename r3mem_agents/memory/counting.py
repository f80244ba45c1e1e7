"""How much a file holds: counts and sizes of one memory, and of every user."""

from __future__ import annotations

from r3mem_agents.memory.damage import ADVICE, tell
from r3mem_agents.memory.handle import Handle
from r3mem_agents.memory.records import open_label, open_owner
from r3mem_agents.store import Period
from r3mem_agents.timestamps import from_integers
from r3mem_agents.types import MemoryStats, SessionStats, UserStats


def memory_stats(handle: Handle) -> MemoryStats:
    """Count what one user's memory with one agent holds."""
    totals = handle.store.totals(handle.scope)
    return MemoryStats(
        turns=totals.turns,
        sessions=totals.sessions,
        tokens=totals.tokens,
        text_bytes=totals.text_bytes,
        code_bytes=totals.code_bytes,
        gist_bytes=totals.gist_bytes,
        term_bytes=totals.term_bytes,
        file_bytes=handle.store.file_bytes(),
        bits_per_token=8 * totals.code_bytes / totals.tokens if totals.tokens else 0.0,
        inferred_share=totals.inferred / totals.tokens if totals.tokens else 0.0,
        packed_segments=totals.packed,
        literal_segments=totals.literal,
    )


def session_stats(handle: Handle) -> list[SessionStats]:
    """Count the turns of each session, in the order in which they began.

    A warning says how many sessions are left out since they are damaged.
    """
    periods = handle.store.periods(handle.scope)
    found = [one for one in (_session(handle, period) for period in periods) if one is not None]
    if lost := len(periods) - len(found):
        tell(f"the names or times of {lost} sessions are damaged and left out. To do: {ADVICE}")
    return found


def _session(handle: Handle, period: Period) -> SessionStats | None:
    name = open_label(handle.obfuscator, "session", period.session)
    try:
        first, last = from_integers(*period.first), from_integers(*period.last)
    except (TypeError, ValueError, OverflowError):
        return None
    if name is None:
        return None
    return SessionStats(session=name, turns=period.turns, first=first, last=last)


def user_stats(handle: Handle) -> list[UserStats]:
    """Count the turns and sessions of each user and agent of the file, the oldest first.

    A warning says how many turns belong to users whose names are damaged.
    """
    found: list[UserStats] = []
    for scope, turns, sessions in handle.store.owned():
        names = open_owner(handle.obfuscator, scope)
        if names is None:
            tell(f"{turns} turns are left out: their user's name is damaged. To do: {ADVICE}")
            continue
        user, agent = names
        found.append(UserStats(user=user, agent=agent, turns=turns, sessions=sessions))
    return found
