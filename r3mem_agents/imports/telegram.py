"""Telegram's export: ``result.json``, of one chat or of all.

A text is a string, or a list of strings and of what is formatted in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from r3mem_agents.imports.blocks import messages_of
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time

MEDIA = {"photo", "file", "media_type", "location_information", "contact_information", "poll"}


def recognizes(file: File) -> bool:
    """Tell whether a file is such an export."""
    return any(_chats(one) for one in file.objects[:1])


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in its chats.

    Raises:
        InvalidInputError: A chat has no messages, or one of them a time that is none.
    """
    for file in files:
        for chat in _chats(file.objects[0]):
            yield from _read(chat, reading, file.name)


def _chats(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    every = [one.get("chats"), one.get("left_chats")]
    lists = [each["list"] for each in every if isinstance(each, dict) and "list" in each]
    if lists and all(isinstance(each, list) for each in lists):
        return [chat for each in lists for chat in each if isinstance(chat, dict)]
    if isinstance(one.get("messages"), list) and {"type", "id"} <= one.keys():
        messages = one["messages"]
        dated = all(isinstance(each, dict) and "date" in each for each in messages[:1])
        return [dict(one)] if dated else []
    return []


def _read(chat: Mapping[str, Any], reading: Reading, file: str) -> Iterator[Entry]:
    title = chat.get("name") or chat.get("type")
    name = f"{file}, chat {title!r}"
    for message in messages_of(chat, name):
        if message.get("type") != "message":
            reading.skip("notices")
            continue
        place = f"{name}, message {message.get('id')}"
        text = _text(message.get("text"))
        if not text and message.keys() & MEDIA:
            reading.skip("media without a text")
            continue
        yield from reading.said(
            "user",
            text,
            key=str(message.get("id")),
            session=f"telegram/{chat.get('id')}",
            # The date is local and names no zone.
            time=read_time(message.get("date_unixtime") or message.get("date"), place),
            name=message.get("from") or message.get("from_id"),
            title=title,
        )


def _text(text: Any) -> str:
    parts = text if isinstance(text, list) else [text]
    return "".join(
        str(part.get("text", "")) if isinstance(part, dict) else part
        for part in parts
        if isinstance(part, str | dict)
    )
