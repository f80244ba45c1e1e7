"""Claude Code's logs: one JSON object a line, and one a block of a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from r3mem_agents.imports.blocks import texts
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time

WITHOUT_SESSION = {"summary", "file-history-snapshot"}
"""Lines that name no session, and with which a log may begin."""

NOTICES = ("<command-name>", "<command-message>", "<local-command-", "<system-reminder>")
"""What the program itself writes in the user's place begins so."""


def recognizes(file: File) -> bool:
    """Tell whether a file is such a log; it may begin with a line of the program's own."""
    kind = file.first.get("type")
    return isinstance(kind, str) and ("sessionId" in file.first or kind in WITHOUT_SESSION)


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in them; the blocks of one answer are one turn.

    Raises:
        InvalidInputError: A line is not JSON, or its time is none.
    """
    for file in files:
        pending: list[tuple[dict[str, Any], str]] = []
        for number, entry in file.records(growing=True):
            text = _text(entry, reading)
            if text is None:
                continue
            entry["at"] = f"{file.name}, line {number}"
            if pending and _message(entry) != _message(pending[0][0]):
                yield from _turn(pending, reading)
                pending = []
            pending.append((entry, text))
        if pending:
            yield from _turn(pending, reading)


def _message(entry: dict[str, Any]) -> object:
    return entry["message"].get("id") or entry.get("uuid") or entry["at"]


def _text(entry: Any, reading: Reading) -> str | None:
    """What a user or the model said to the other; ``None`` for anything else, which is counted."""
    if not isinstance(entry, dict) or entry.get("type") not in ("user", "assistant"):
        reading.skip("lines that hold no message")
        return None
    said = entry.get("message")
    if entry.get("isSidechain"):
        reading.skip("messages of subagents")
    elif entry.get("isMeta") or entry.get("isCompactSummary") or not isinstance(said, dict):
        reading.skip("notices")
    elif not (found := "\n".join(texts(said.get("content")))):
        reading.skip("thoughts, tool calls and results")
    elif entry["type"] == "user" and found.startswith(NOTICES):
        reading.skip("notices")
    else:
        return found
    return None


def _turn(blocks: list[tuple[dict[str, Any], str]], reading: Reading) -> Iterator[Entry]:
    first = blocks[0][0]
    yield from reading.said(
        first["type"],
        "\n".join(text for _, text in blocks),
        key=first.get("uuid") if isinstance(first.get("uuid"), str) else None,
        session=f"claude-code/{first.get('sessionId') or reading.name}",
        time=read_time(first.get("timestamp"), first["at"]),
    )
