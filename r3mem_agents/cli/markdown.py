"""Turns as Markdown, to be read: a file a session."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.timestamps import wall_clock
from r3mem_agents.types import StoredTurn

MAX_NAME = 80
"""Characters of a file's name that come from its session's; chosen."""


def write_markdown(folder: Path, turns: Sequence[StoredTurn]) -> int:
    """Write a file a session into a folder that is new or empty, and return how many.

    Raises:
        InvalidInputError: Something is in the folder.
        OSError: It cannot be written.
    """
    with suppress(FileNotFoundError):
        if any(folder.iterdir()):
            raise InvalidInputError(f"{folder} is not empty; give the path of a new folder")
    sessions: dict[str, list[StoredTurn]] = {}
    for turn in turns:
        sessions.setdefault(turn.session, []).append(turn)
    target, taken = folder.resolve(), set[str]()
    part = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    part.mkdir(parents=True)
    try:
        for session, its in sessions.items():
            name = _file_name(session, taken)
            (part / f"{name}.md").write_bytes(_page(session, its).encode())
        if target.exists():
            target.rmdir()
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(sessions)


def _page(session: str, turns: Sequence[StoredTurn]) -> str:
    """A session: a heading, and under one each the turns as they are."""
    parts = [f"# {' '.join(session.split())}"]
    for turn in turns:
        who = turn.place or (f"{turn.name} ({turn.role})" if turn.name else turn.role)
        parts += [f"## {' '.join(who.split())}, {wall_clock(turn.time)}", turn.text]
    return "\n\n".join(parts) + "\n"


def _file_name(session: str, taken: set[str]) -> str:
    """A name that every system takes, and no other session has, whatever the case of letters."""
    plain = re.sub(r"[^\w.-]+", "-", session)[:MAX_NAME].strip("-.") or "session"
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain}-{number}"
    taken.add(name.casefold())
    return name
