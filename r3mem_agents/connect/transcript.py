"""The end of a Claude Code transcript: one JSON object a line, a message's blocks one a line.

Versions whose ``Stop`` event does not say what the model answered leave it there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from r3mem_agents.imports.blocks import texts

MAX_TAIL = 4 << 20
"""Bytes of a transcript that are read, from its end; chosen."""


def last_answer(path: Path) -> str | None:
    """What the model said last, after the user did, if that can be read."""
    try:
        if not path.is_file():  # a device may have no end
            return None
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - MAX_TAIL))
            lines = file.read(MAX_TAIL).splitlines()
    except (OSError, ValueError):  # a path that no system takes
        return None
    blocks: list[str] = []
    message = None
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):  # the first may be cut
            continue
        if not isinstance(entry, dict) or entry.get("isSidechain"):
            continue
        said = entry.get("message")
        if entry.get("type") not in ("user", "assistant") or not isinstance(said, dict):
            continue
        if entry["type"] == "user" or (blocks and said.get("id") != message):
            break
        said_here = texts(said.get("content"))
        if said_here:
            message = said.get("id")
            blocks[:0] = said_here
    return "\n".join(blocks) or None
