"""What the golden databases hold: python -m tests.golden.conversation PATH MODEL writes one anew.

A golden database is written once, by the version of its format, and never again: it stands for the
files that people have.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from r3mem_agents import CompressiveMemory, StoredTurn, Turn

START = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
INDIA = timezone(timedelta(hours=5, minutes=30))
NEPAL = timezone(timedelta(hours=5, minutes=45))


def say(session: str, role: str, name: str | None, text: str, **fields: Any) -> Turn:
    """A turn, said at the start unless it has a time."""
    return Turn(role=role, text=text, name=name, session=session, **({"time": START} | fields))


ALICE = [
    say("moving", "user", "Alice", "I moved to Lisbon in March."),
    say("moving", "assistant", None, "What is the flat like?", time=START + timedelta(seconds=8)),
    say("moving", "user", "Alice", "Two rooms, near the river. The rent is 1,150 euros."),
    say("moving", "user", "Alice", "", time=START + timedelta(microseconds=1)),
    say(
        "Z\u00fcrich",
        "user",
        "Jos\u00e9 \u0141",
        "Caf\u00e9 \u2615 at \u6771\u4eac \u99c5, \U0001f1f5\U0001f1f9!",
        time=START.astimezone(NEPAL),
        metadata={"place": "Z\u00fcrich", "stars": 4.5, "tags": ["a", None]},
    ),
    say(
        "Z\u00fcrich",
        "tool",
        None,
        "{}",
        time=datetime(1, 1, 2, tzinfo=UTC),
        metadata={},
        key="call 1",
    ),
    say(
        "Z\u00fcrich", "tool", "bytes", "\x00\x01\x7f" * 40, time=datetime(9999, 12, 30, tzinfo=UTC)
    ),
    say("family", "user", "Alice", "My sister's name is Rosa.", key="rosa"),
    say("family", "user", "Alice", "Rosa lives in Porto now.", metadata={"new": 1}, key="porto"),
    say("family", "user", "Alice", "The wolf is at the door, he said. " * 1200),
]

BOB = [
    say("notes", "user", "Bob", f"Note {number}: the meeting is on day {number}.", key=key)
    for number, key in enumerate(["n0", "n1", None, None, "n4"])
]

HELPER = [
    say(
        "default",
        "user",
        None,
        "Only this agent is told so.",
        time=START.astimezone(INDIA),
        expires=datetime(2999, 12, 31, tzinfo=UTC),
    )
]

EARLIER = "Note 2: there is no meeting."
"""What Bob's note 2 says at first, which is kept as a version."""

SCOPES = {("alice", "default"): ALICE, ("bob", "default"): BOB, ("alice", "helper"): HELPER}
"""What each user says to each agent."""


def is_told(said: Sequence[Turn], told: Sequence[StoredTurn]) -> bool:
    """True if a memory tells just these turns, in this order."""

    def fields(turn: Turn) -> tuple[Any, ...]:
        about = turn.role, turn.name, turn.session, turn.time, turn.key
        return *about, turn.text, turn.metadata or {}

    return [*map(fields, said)] == [*map(fields, told)]


def write(path: Path, model: str | Path) -> None:
    """Write a golden database, with traces of turns that were forgotten and edited on the way."""
    with CompressiveMemory(path, model=model) as memory:
        for (user, agent), turns in SCOPES.items():
            scope = memory.scoped(user=user, agent=agent)
            gone = scope.remember("user", "This is forgotten again.", session="gone")
            for turn in turns:
                if turn.text.startswith("Note 2"):
                    note = scope.remember("user", EARLIER, name="Bob", session="notes", time=START)
                    scope.edit(note.id, turn.text, keep_versions=True)
                    continue
                if turn.key == "porto":
                    scope.remember("user", "Rosa lives in Braga.", session="family", key="porto")
                scope.remember_many([turn])
            scope.forget(turn_ids=[gone.id])
            scope.pin(scope.turn_ids()[:1])


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
