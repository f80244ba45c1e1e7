"""What mem0's ``get_all`` returns, as JSON: ``json.dump(memory.get_all(...), file)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time


def recognizes(file: File) -> bool:
    """Tell whether a file holds such memories."""
    return any({"id", "memory"} <= one.keys() for one in _memories(file)[:1])


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield the memories; the session of one is its run.

    Raises:
        InvalidInputError: They are of several users and none of who is meant, or one has no text or
            a time that is none.
    """
    memories = [(file.name, one) for file in files for one in _memories(file)]
    users = sorted({str(one["user_id"]) for _, one in memories if one.get("user_id")})
    if len(users) > 1:
        if reading.user not in users:
            raise InvalidInputError(
                f"memories of {len(users):,} users, such as {users[0]!r} and {users[1]!r}, none of "
                f"them {reading.user!r}: say by --user whose memory this is, as mem0 calls them"
            )
        theirs = [(file, one) for file, one in memories if str(one.get("user_id")) == reading.user]
        reading.skip("memories of other users", len(memories) - len(theirs))
        memories = theirs
    for file, one in memories:
        place = f"{file}, memory {one.get('id')}"
        if not isinstance(one.get("memory"), str):
            raise InvalidInputError(f"{place}: it has no text")
        more = one.get("metadata")
        yield from reading.said(
            str(one.get("role") or "user"),
            one["memory"],
            key=str(one.get("id")),
            session=str(one["run_id"]) if one.get("run_id") else None,
            time=read_time(one.get("created_at"), place),
            name=one.get("actor_id"),
            metadata=more if isinstance(more, dict) else None,
        )


def _memories(file: File) -> list[Mapping[str, Any]]:
    whole = file.document
    there = whole.get("results") if isinstance(whole, dict) else whole
    if not isinstance(there, list):
        return []
    return [one for one in there if isinstance(one, dict)]
