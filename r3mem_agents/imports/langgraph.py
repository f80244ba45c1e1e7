"""Items of a LangGraph store: a JSON list of what their ``dict()`` returns, or JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time

TEXTS = ("content", "text", "memory", "data")
"""Fields of a value that hold its text, the first of them counts."""


def recognizes(file: File) -> bool:
    """Tell whether a file holds such items."""
    return {"namespace", "key", "value"} <= file.head.keys()


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield the items; a namespace is a session.

    Raises:
        InvalidInputError: One of them is no item, or has a time that is none.
    """
    for file in files:
        items = enumerate(file.objects, 1) if file.objects else file.records()
        for number, item in items:
            place = f"{file.name}, item {number}"
            space = item.get("namespace") if isinstance(item, dict) else None
            if not isinstance(space, list) or not isinstance(item.get("value"), dict):
                raise InvalidInputError(f"{place}: it has no namespace and value")
            text, more = _split(item["value"])
            yield from reading.said(
                "user",
                text,
                key=str(item.get("key")),
                session="/".join(map(str, space)) or None,
                time=read_time(item.get("created_at"), place),
                metadata=more,
            )


def _split(value: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The text of a value, and what is beside it; a value without a text is one, as JSON."""
    for name in TEXTS:
        if isinstance(value.get(name), str):
            return value[name], {key: more for key, more in value.items() if key != name}
    return json.dumps(value, ensure_ascii=False), {}
