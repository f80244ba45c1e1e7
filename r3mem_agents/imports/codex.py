"""Codex's logs: ``rollout-*.jsonl``, whose lines are records with a payload.

What the user typed is in events; the prompts beside them also hold what the program adds to it.
Until September 2025 a line was what is a payload now, and there were no events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from r3mem_agents.imports.blocks import texts
from r3mem_agents.imports.entries import Entry, Reading, digest
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time

ADDED = re.compile(r"\s*<(\w+)>.*</\1>\s*|# AGENTS\.md instructions\b.*", re.DOTALL)
"""What the program writes in the user's place."""

REQUEST = "## My request for Codex:\n"
"""In an editor, what the user typed follows this, after what is open there."""


def recognizes(file: File) -> bool:
    """Tell whether a file is such a log."""
    first = file.first
    if first.get("type") == "session_meta":
        return isinstance(first.get("payload"), dict)
    return "type" not in first and {"id", "timestamp", "instructions"} <= first.keys()


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in them; what a fork took over from its session is left out.

    Raises:
        InvalidInputError: The time of a line is none.
    """
    keys: dict[str, set[str]] = {}
    for file in files:
        meta = file.first.get("payload") or file.first
        if isinstance(meta.get("source"), dict):  # another session started it, to get work done
            reading.skip("sessions of subagents")
            continue
        name = str(meta.get("id") or file.stem)
        before = keys.get(str(meta.get("forked_from_id")), set())
        key = ""
        typed = any(_typed(_payload(record)) is not None for _, record in file.logged())
        for number, record in file.logged():
            said = _said(_payload(record), typed, reading)
            if said is None:
                continue
            role, text = said
            key = digest(key, role, text)  # they have no ids: what was said so far
            keys.setdefault(name, set()).add(key)
            if key in before:
                reading.skip("messages of the session that another one began with")
                continue
            time = record.get("timestamp") or meta.get("timestamp")
            yield from reading.said(
                role,
                text,
                key=key,
                session=f"codex/{name}",
                time=read_time(time, f"{file.name}, line {number}"),
            )


def _payload(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        return {}
    payload = record.get("payload", record)
    return payload if isinstance(payload, dict) else {}


def _typed(payload: dict[str, Any]) -> str | None:
    """What the user typed, in an event of either kind."""
    text, item = payload.get("message"), payload.get("item")
    if payload.get("type") == "item_completed" and isinstance(item, dict):
        if item.get("type") != "UserMessage":
            return None
        text = "\n".join(texts(item.get("content")))
    elif payload.get("type") != "user_message" or not isinstance(text, str):
        return None
    return str(text).rpartition(REQUEST)[2].lstrip("\n")


def _said(payload: dict[str, Any], typed: bool, reading: Reading) -> tuple[str, str] | None:
    """Who said what in a record; ``None`` for anything else, which is counted.

    Args:
        payload: Of the record.
        typed: Whether the log has events of what the user typed; older ones have prompts only.
        reading: Counts what is left out.
    """
    kind, role = payload.get("type"), payload.get("role")
    words = _typed(payload)
    if words is not None:
        return "user", words
    if kind == "message":
        text = "\n".join(texts(payload.get("content")))
        if role == "assistant" or (role == "user" and not typed and not ADDED.fullmatch(text)):
            return str(role), text.rpartition(REQUEST)[2].lstrip("\n") if role == "user" else text
        reading.skip("prompts of the program")
    elif kind not in ("agent_message", "item_completed"):  # the model's message once more
        reading.skip("thoughts, tool calls, results and events")
    return None
