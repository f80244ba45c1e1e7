"""What hooks remembered of a session whose log is imported: it is there under their keys."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from r3mem_agents.imports.entries import Entry, Found

if TYPE_CHECKING:
    from r3mem_agents.memory import CompressiveMemory

LOGS = ("claude-code/", "codex/")
"""What sessions of logs begin with; hooks call a session as the host does."""


def without_captured(memory: CompressiveMemory, found: Found) -> Found:
    """What was found, but for those of logs that hooks remembered.

    These have other keys, as a hook is told of no ids: a turn that says the same in the session
    that has the log's id, once for each that is there.
    """
    hooked = {*memory.sessions()}
    there: dict[str, Counter[tuple[str, str]]] = {}
    left = list[Entry]()
    for entry in found.entries:
        kind, _, session = (entry.turn.session or "").partition("/")
        if f"{kind}/" not in LOGS or session not in hooked:
            left.append(entry)
            continue
        if session not in there:
            turns = memory.history(session)
            there[session] = Counter((turn.role, turn.text.strip()) for turn in turns)
        said = entry.turn.role, entry.turn.text.strip()
        if there[session][said]:
            there[session][said] -= 1
        else:
            left.append(entry)
    if count := len(found.entries) - len(left):
        skipped = {**found.skipped, "turns that hooks remembered": count}
        return replace(found, entries=left, skipped=skipped)
    return found
