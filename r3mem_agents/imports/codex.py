"""Codex's logs: ``rollout-*.jsonl``, whose lines are records with a payload.

What the user typed is in events; the prompts beside them also hold what the program adds to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from r3mem_agents.imports.blocks import texts
from r3mem_agents.imports.entries import Entry, Reading, digest
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time


def recognizes(file: File) -> bool:
    """Tell whether a file is such a log."""
    return file.first.get("type") == "session_meta" and isinstance(file.first.get("payload"), dict)


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in them.

    Raises:
        InvalidInputError: A line is not JSON, or its time is none.
    """
    for file in files:
        session = f"codex/{file.first['payload'].get('id') or file.stem}"
        key = ""
        records = [*file.records(growing=True)]
        typed = any(_kind(record) == "user_message" for _, record in records)
        for number, record in records:
            said = _said(record, typed, reading)
            if said is not None:
                role, text = said
                time = record.get("timestamp")
                key = digest(key, role, text)  # they have no ids: what was said so far
                yield from reading.said(
                    role,
                    text,
                    key=key,
                    session=session,
                    time=read_time(time, f"{file.name}, line {number}"),
                )


def _payload(record: Any) -> dict[str, Any]:
    payload = record.get("payload") if isinstance(record, dict) else None
    return payload if isinstance(payload, dict) else {}


def _kind(record: Any) -> object:
    return _payload(record).get("type")


def _said(record: Any, typed: bool, reading: Reading) -> tuple[str, str] | None:
    """Who said what in a record; ``None`` for anything else, which is counted.

    Args:
        record: The record.
        typed: Whether the log has events of what the user typed; older ones have prompts only.
        reading: Counts what is left out.
    """
    payload, kind = _payload(record), _kind(record)
    if kind == "user_message" and isinstance(payload.get("message"), str):
        return "user", payload["message"]
    if kind == "message":
        text = "\n".join(texts(payload.get("content")))
        role = payload.get("role")
        if role == "assistant" or (role == "user" and not typed and not text.startswith("<")):
            return str(role), text
        reading.skip("prompts of the program")
    elif kind != "agent_message":  # the model's message once more
        reading.skip("thoughts, tool calls, results and events")
    return None
