"""Items of a LangGraph store: a ``SqliteStore``'s file, or what their ``dict()`` returns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import SQLITE, File
from r3mem_agents.imports.times import read_time

TEXTS = ("content", "text", "memory", "data")
"""Fields of a value that hold its text, the first of them counts."""

COLUMNS = ("prefix", "key", "value", "created_at")
"""Of a store's table; its prefix is the namespace, joined by dots, which no part of it may hold."""


def recognizes(file: File) -> bool:
    """Tell whether a file holds such items."""
    if file.data.startswith(SQLITE):
        return file.path is not None and {*COLUMNS} <= {name for _, name, *_ in _rows(file, TABLE)}
    return {"namespace", "key", "value"} <= file.head.keys()


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield the items; a namespace is a session.

    Raises:
        InvalidInputError: One of them is no item, or has a time that is none.
    """
    for file in files:
        for number, item in _items(file):
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
                time=read_time(item.get("created_at"), place, UTC),
                metadata=more,
            )


TABLE = "PRAGMA table_info(store)"
ITEMS = f"SELECT {', '.join(COLUMNS)} FROM store ORDER BY created_at, prefix, key"


def _items(file: File) -> Iterator[tuple[int, Any]]:
    if not file.data.startswith(SQLITE):
        yield from enumerate(file.objects, 1) if file.objects else file.records()
        return
    for number, (prefix, key, value, created) in enumerate(_rows(file, ITEMS), 1):
        try:
            content = json.loads(value)
        except (ValueError, TypeError, RecursionError):
            content = None
        item = {"namespace": str(prefix).split("."), "key": key, "value": content}
        yield number, item | {"created_at": created}


def _rows(file: File, query: str) -> list[tuple[Any, ...]]:
    try:
        place = f"{file.path.resolve().as_uri()}?mode=ro" if file.path else ":memory:"
        with closing(sqlite3.connect(place, uri=True)) as database:
            return database.execute(query).fetchall()
    except sqlite3.Error as error:
        raise InvalidInputError(f"{file.name}: the database cannot be read ({error})") from None


def _split(value: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The text of a value, and what is beside it; a value without a text is one, as JSON."""
    for name in TEXTS:
        if isinstance(value.get(name), str):
            return value[name], {key: more for key, more in value.items() if key != name}
    return json.dumps(value, ensure_ascii=False), {}
