"""Messages with ``role`` and ``content``, as APIs of chat models take them.

They come as one list, as conversations with ``messages``, or as JSON Lines of either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.blocks import texts
from r3mem_agents.imports.entries import Entry, Reading, digest
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time

IDS = ("id", "conversation_id", "session_id", "thread_id")
TIMES = ("created_at", "create_time", "timestamp", "time")
ROLES = {"human": "user", "ai": "assistant", "model": "assistant"}


def recognizes(file: File) -> bool:
    """Tell whether a file holds such messages."""
    return _is_message(file.head) or _is_conversation(file.head)


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in them.

    Raises:
        InvalidInputError: One of them is no message, or its time is none.
    """
    for file in files:
        records = (
            ((f"{file.name}, number {number}", one) for number, one in enumerate(file.objects, 1))
            if file.objects
            else ((f"{file.name}, line {number}", one) for number, one in file.records())
        )
        loose: list[tuple[str, Mapping[str, Any]]] = []
        for number, (place, one) in enumerate(records, 1):
            if _is_conversation(one):
                name = _first(one, IDS) or number
                messages = [
                    (f"{place}, message {n}", each) for n, each in enumerate(one["messages"], 1)
                ]
                yield from _read(messages, f"{file.stem}/{name}", one.get("title"), reading)
            else:
                loose.append((place, one))
        yield from _read(loose, None, None, reading)


def _is_message(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("role"), str) and "content" in one


def _is_conversation(one: Any) -> bool:
    there = one.get("messages") if isinstance(one, dict) else None
    return isinstance(there, list) and all(_is_message(each) for each in there[:1])


def _first(one: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((one[name] for name in names if one.get(name)), None)


def _read(
    messages: Sequence[tuple[str, Any]], session: str | None, title: Any, reading: Reading
) -> Iterator[Entry]:
    key, ids = "", set[str]()
    for place, one in messages:
        if not isinstance(one, dict) or not isinstance(one.get("role"), str):
            raise InvalidInputError(f"{place}: no message with role and content")
        text = "\n".join(texts(one.get("content")))
        role = ROLES.get(str(one["role"]), str(one["role"]))
        key = digest(key, role, text)  # without an id, what was said so far
        if role in ("system", "developer"):
            reading.skip("system prompts")
        elif role in ("tool", "function") or not text:
            reading.skip("tool calls, results and pictures")
        else:
            id_ = str(one.get("id") or key)
            if id_ in ids:  # an id that several have is none
                id_ = key
            ids.add(id_)
            yield from reading.said(
                role,
                text,
                key=id_,
                session=session,
                time=read_time(_first(one, TIMES), place),
                name=one.get("name"),
                title=title,
            )
