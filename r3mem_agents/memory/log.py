"""The entries of a log: who changed what and when, without any of the words."""

from __future__ import annotations

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory.damage import tell
from r3mem_agents.memory.handle import Handle
from r3mem_agents.timestamps import from_integers
from r3mem_agents.types import LogEntry


def keep_log(handle: Handle, on: bool) -> None:
    """Keep a log of the whole file from now on, or remove it.

    Raises:
        InvalidInputError: If ``on`` is neither ``True`` nor ``False``.
    """
    if not isinstance(on, bool):
        raise InvalidInputError(f"keep_log takes True or False, not {on!r}")
    if on:
        handle.store.keep_log(handle.scope, handle.hidden_door)
    else:
        handle.store.drop_log()


def read_log(handle: Handle) -> list[LogEntry]:
    """Return the entries of one user with one agent, and warn of damaged ones."""
    rows, damaged = handle.store.log(handle.scope)
    if damaged:
        tell(f"damaged and left out: rows {', '.join(map(str, damaged))} of the log")
    return [
        LogEntry(
            time=from_integers(row.time_us, 0),
            user=handle.user,
            agent=handle.agent,
            verb=row.change.name.lower(),
            turns=len(row.turns),
            turn_ids=tuple(row.turns),
            door=None if row.door is None else handle.obfuscator.reveal(row.door),
        )
        for row in rows
    ]
