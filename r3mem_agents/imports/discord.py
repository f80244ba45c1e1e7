"""What DiscordChatExporter writes as JSON: a file a channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from r3mem_agents.imports.blocks import messages_of
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time

SPEECH = {"Default", "Reply", "0", "19", "20", "23"}
"""Types of messages that somebody wrote; the others are notices. Some versions number them."""


def recognizes(file: File) -> bool:
    """Tell whether a file is such an export."""
    return any({"guild", "channel", "messages"} <= one.keys() for one in file.objects[:1])


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in them.

    Raises:
        InvalidInputError: A file has no messages, or one of them a time that is none.
    """
    for file in files:
        [export] = file.objects
        guild, channel = _part(export, "guild"), _part(export, "channel")
        title = " / ".join(str(one["name"]) for one in (guild, channel) if one.get("name"))
        for message in messages_of(export, file.name):
            if str(message.get("type", "Default")) not in SPEECH:
                reading.skip("notices")
                continue
            text, id_ = str(message.get("content") or ""), str(message.get("id"))
            text = text or str(_part(message, "forwardedMessage").get("content") or "")
            if not text and (message.get("attachments") or message.get("stickers")):
                reading.skip("media without a text")
                continue
            author = _part(message, "author")
            yield from reading.said(
                "user",
                text,
                key=id_,
                session=f"discord/{channel.get('id')}",
                time=read_time(message.get("timestamp"), f"{file.name}, message {id_}"),
                name=author.get("nickname") or author.get("name"),
                title=title,
            )


def _part(of: dict[str, Any], name: str) -> dict[str, Any]:
    part = of.get(name)
    return part if isinstance(part, dict) else {}
