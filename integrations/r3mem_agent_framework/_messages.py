"""The host's messages as turns, and back.

What is said is text, refusals and errors, and tool calls with their arguments and results. What a
model thought is not, nor is what a tool quotes from a memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from agent_framework import Message

from r3mem_agents import Turn
from r3mem_agents.prompts import Said, Translation, call_lead, is_recalled

METADATA = "agent_framework"
"""Where a turn's metadata holds what is not in its text."""

INSTRUCTIONS = ("system", "developer")

SPOKEN = {
    "text": ("text",),
    "error": ("message",),
    "shell_command_output": ("stdout", "stderr"),
    "function_call": ("arguments",),
    "mcp_server_tool_call": ("arguments",),
    "function_result": ("result",),
}
"""Fields of a content, by its type, in which something is said."""

INSIDE = ("items", "inputs", "outputs", "output")
"""Fields in which a content holds others."""


def to_turn(message: Message, *, expires: timedelta | None = None) -> Turn:
    """A message as a turn without a time.

    It is kept as the host's own histories keep it: without the raw representation, and with a mark
    in place of a tool's exception.
    """
    name = message.author_name if (message.author_name or "").strip() else None
    item = _shortened(message.to_dict())
    return _TRANSLATION.turn(item, role=message.role, name=name, expires=expires)


def to_message(turn: Turn) -> Message:
    """A turn as a message, equal to the one that it was made from."""
    return Message.from_dict(_whole(_TRANSLATION.item(turn)))


def _plain(turn: Turn) -> dict[str, Any]:
    text = {"type": "text", "text": turn.text, "additional_properties": {}}
    name = {"author_name": turn.name} if turn.name else {}
    kept: dict[str, Any] = {"role": turn.role, "contents": [text], **name}
    return {"type": "message", **kept, "additional_properties": {}}


def _said(item: dict[str, Any]) -> Iterator[Said]:
    for number, content in enumerate(item["contents"]):
        yield from _said_in(content, ("contents", number))


def _said_in(content: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Said]:
    kind = content["type"]
    name = content.get("name") or content.get("tool_name")
    for field in SPOKEN.get(kind, ()):
        value = content.get(field)
        if isinstance(value, str) and is_recalled(value):
            continue
        if value and (isinstance(value, str) or field == "arguments"):
            yield Said((*path, field), call_lead(name or "") if field == "arguments" else "")
    for field in INSIDE:
        held = content.get(field)
        for number, one in enumerate(held if isinstance(held, list) else ()):
            if isinstance(one, Mapping) and isinstance(one.get("type"), str):
                yield from _said_in(one, (*path, field, number))


_TRANSLATION = Translation(METADATA, _said, _plain)


def _shortened(item: dict[str, Any]) -> dict[str, Any]:
    # The host keeps a result twice: its parts, and their text. Nothing of its own is None.
    for content in item["contents"]:
        if content["type"] == "function_result" and content.get("result") == _result(content):
            content["result"] = None
    return item


def _whole(item: dict[str, Any]) -> dict[str, Any]:
    for content in item["contents"]:
        if content["type"] == "function_result" and content.get("result", "") is None:
            content["result"] = _result(content)
    return item


def _result(content: Mapping[str, Any]) -> str:
    texts = (one.get("text") for one in content.get("items") or () if isinstance(one, Mapping))
    return "\n".join(text for text in texts if text and isinstance(text, str))
