"""Messages of a run as turns, and back.

What is said is what the user writes, what the model answers, what tools are called with, and what
they answer; instructions, and what a model thought, are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    UserContent,
    UserPromptPart,
)
from pydantic_core import PydanticSerializationError

from r3mem_agents import Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import LEFT_OUT, Said, Translation, call_lead, is_recalled

SPOKEN = {
    "user-prompt": "content",
    "text": "content",
    "tool-call": "args",
    "tool-return": "content",
    "builtin-tool-call": "args",
    "builtin-tool-return": "content",
}
"""Kinds of parts that are said, and where they have their words."""

FILES = ("binary", "image-url", "audio-url", "video-url", "document-url", "uploaded-file")


def to_turn(message: ModelMessage, key: str, *, expires: timedelta | None = None) -> Turn:
    """A message as a turn without a time.

    Its instructions are left out: the host writes them anew for each request, and what was recalled
    is among them. Of a tool's result that quotes a memory, only this is kept.

    Args:
        message: The host's.
        key: The turn's.
        expires: How long the turn lives after it is written.

    Raises:
        InvalidInputError: If it is not what JSON can hold.
    """
    try:
        [item] = ModelMessagesTypeAdapter.dump_python([message], mode="json")
    except PydanticSerializationError as error:
        raise InvalidInputError(f"a message must be what JSON can hold: {error}") from error
    item = _filled(item | {"instructions": None})
    item["parts"] = [_filled(part) for part in item["parts"]]
    if "usage" in item:
        item["usage"] = {name: one for name, one in item["usage"].items() if one}
    for part in item["parts"]:
        content = part.get("content")
        if part["part_kind"] == "tool-return" and isinstance(content, str) and is_recalled(content):
            part["content"] = LEFT_OUT
    return TRANSLATION.turn(item, role=_role(message), key=key, expires=expires)


def to_messages(turns: Sequence[Turn]) -> list[ModelMessage]:
    """Turns as messages, equal to those that they were made from, instructions aside."""
    items = [TRANSLATION.item(turn) for turn in turns]
    return ModelMessagesTypeAdapter.validate_json(json.dumps(items))


def question(prompt: str | Sequence[UserContent] | None, history: Sequence[ModelMessage]) -> str:
    """The words of a user's prompt; of the last one in a history, where a run has none."""
    said = [UserPromptPart(prompt)] if prompt is not None else _last_prompt(history)
    return to_turn(ModelRequest(said), "").text


def _last_prompt(history: Sequence[ModelMessage]) -> list[UserPromptPart]:
    for message in reversed(history):
        if said := [part for part in message.parts if isinstance(part, UserPromptPart)]:
            return said
    return []


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    # Without what a message has of itself; a content that is None is one.
    return {name: one for name, one in fields.items() if one is not None or name == "content"}


def _role(message: ModelMessage) -> str:
    if not isinstance(message, ModelRequest):
        return "assistant"
    kinds = {part.part_kind for part in message.parts}
    return "user" if "user-prompt" in kinds else "tool" if "tool-return" in kinds else "system"


def _said(item: dict[str, Any]) -> Iterator[Said]:
    for number, part in enumerate(item["parts"]):
        entry = SPOKEN.get(part["part_kind"])
        value = None if entry is None else part.get(entry)
        if entry is None or value is None or value == LEFT_OUT:
            continue
        lead = call_lead(part["tool_name"]) if entry == "args" else ""
        for path in _words(value):
            yield Said(("parts", number, entry, *path), lead)


def _words(value: Any) -> Iterator[tuple[str | int, ...]]:
    # Where a content has words: files have none.
    kind = value.get("kind") if isinstance(value, dict) else None
    if isinstance(value, list):
        for number, one in enumerate(value):
            for path in _words(one):
                yield (number, *path)
    elif kind == "text-content":
        yield ("content",)
    elif kind not in FILES:
        yield ()


def _plain(turn: Turn) -> dict[str, Any]:
    said = {"part_kind": "text", "content": turn.text}
    if turn.role == "assistant":
        return {"kind": "response", "parts": [said]}
    time = (turn.time or datetime.now(UTC)).isoformat()
    return {
        "kind": "request",
        "parts": [said | {"part_kind": "user-prompt", "timestamp": time}],
    }


TRANSLATION = Translation("pydantic_ai", _said, _plain)
