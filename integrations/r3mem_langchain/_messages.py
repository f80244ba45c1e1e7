"""LangChain's messages as turns, and back.

A turn's text is what was said: the text of every content block, whatever its type, and a line for
each tool call with its arguments, invalid ones included, so that they are compressed, searched and
shown. What a model thought is not said. The metadata holds the rest, and where
in the text each part lies; a plain message has none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    RemoveMessage,
    SystemMessage,
    message_chunk_to_message,
    messages_from_dict,
)

from r3mem_agents import Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import LEFT_OUT, call_lead, packed, turn_key, unpacked
from r3mem_agents.validation import check_name, check_role
from r3mem_langchain._quoting import METADATA, quotes

ROLES = {"human": "user", "ai": "assistant"}
TYPES = {"user": "human", "assistant": "ai", "system": "system"}
"""Role to type of message; other roles are kept with their type, or read as a ``ChatMessage``."""

CHAT = "chat"
"""Type of message that has any role."""

ELSEWHERE = {"content", "id", "invalid_tool_calls", "tool_calls", "type"}
"""Fields that are not kept under their names."""

THOUGHTS = ("reasoning", "thinking")
"""Types of content blocks in which a model thinks."""

SPOKEN = ("text", "refusal")
"""Entries of a content block in which its text may be."""


def to_turns(messages: Iterable[BaseMessage], *, expires: timedelta | None = None) -> list[Turn]:
    """Messages as turns; what was recalled for the prompt is left out.

    Args:
        messages: The host's.
        expires: How long they live after they are written.

    Raises:
        InvalidInputError: If one of them cannot be kept.
    """
    return [
        to_turn(message, expires=expires)
        for message in messages
        if not (isinstance(message, SystemMessage) and quotes(message))
    ]


def to_turn(message: BaseMessage, *, expires: timedelta | None = None) -> Turn:
    """A message as a turn without a time, known by the message's id.

    Of a tool's result that quotes a memory, only this is kept. What JSON cannot hold of an
    artifact, ``additional_kwargs`` and ``response_metadata`` is left out.

    Args:
        message: The host's.
        expires: How long the turn lives after it is written.

    Raises:
        InvalidInputError: If something else is not what JSON can hold, or this is not a message.
    """
    if isinstance(message, RemoveMessage):
        raise InvalidInputError("a RemoveMessage tells the host to remove one; it is not kept")
    message = message_chunk_to_message(message)
    said_as = message.role if isinstance(message, ChatMessage) else ROLES.get(message.type)
    role = _accepted(check_role, message.type if said_as is None else said_as) or CHAT
    name = _accepted(check_name, message.name)
    text, extra = _spoken(message)
    if TYPES.get(role, CHAT) != message.type:
        extra["type"] = message.type
    whole = {"role": role, "name": name}  # unless a turn cannot have them
    fields = {
        field: value
        for field, value in message
        if field not in ELSEWHERE and (field not in whole or whole[field] != value)
    }
    if kept := _kept(message, fields, quoting="quotes" in extra):
        extra["fields"] = kept
    key = key_of(message)
    if key != message.id:
        extra["id"] = message.id
    return Turn(
        role=role,
        text=text,
        name=name,
        metadata={METADATA: extra} if extra else None,
        key=key,
        expires=expires,
    )


def _accepted(check: Callable[[object, str], str], value: object) -> str | None:
    # The value, if a turn can have it.
    try:
        return check(value, "it")
    except InvalidInputError:
        return None


def key_of(message: BaseMessage) -> str | None:
    """Key of a message's turn: the message's id, or a hash of a very long one."""
    return turn_key(message.id) if message.id else None


def _spoken(message: BaseMessage) -> tuple[str, dict[str, Any]]:
    # What was said, and how the content is made of it.
    extra: dict[str, Any] = {}
    if quotes(message):
        return "", {"quotes": True}
    if isinstance(message.content, str):
        text = message.content
    else:
        text, extra["blocks"], extra["places"] = "", [], []
        for number, block in enumerate(message.content):
            entry = None if isinstance(block, str) else _spoken_entry(block)
            said = block if isinstance(block, str) else block.get(entry)
            rest: Any = block
            if isinstance(said, str):
                text, start = _append(text, said)
                extra["places"].append([number, start, len(text), entry])
                rest = None if isinstance(block, str) else block | {entry: None}
            extra["blocks"].append(packed(rest))
    if isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls):
        extra["content"] = len(text)
        for call in message.tool_calls:
            text, place = _append_call(text, call["name"], _json(call["args"]))
            extra.setdefault("calls", []).append(
                {"name": call["name"], "id": call["id"], "args": place}
            )
        for wrong in message.invalid_tool_calls:
            text, place = _append_call(text, wrong["name"] or "", wrong["args"] or "")
            extra.setdefault("invalid", []).append({**wrong, "args": wrong["args"] and place})
    return text, extra


def _spoken_entry(block: dict[Any, Any]) -> str | None:
    # Where a block has its text.
    if block.get("type") in THOUGHTS:
        return None
    return next((entry for entry in SPOKEN if isinstance(block.get(entry), str)), None)


def _append_call(text: str, name: str, arguments: str) -> tuple[str, list[int]]:
    lead = call_lead(name)
    text, start = _append(text, lead + arguments)
    return text, [start + len(lead), len(text)]


def _append(text: str, more: str) -> tuple[str, int]:
    text += "\n" if text else ""
    return text + more, len(text)


def _json(arguments: dict[str, Any]) -> str:
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"a tool call's arguments must be what JSON can hold: {error}"
        ) from error


def _kept(message: BaseMessage, fields: dict[str, Any], *, quoting: bool) -> dict[str, Any]:
    # Fields that differ from what a new message has.
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        if name in ("additional_kwargs", "response_metadata"):
            value = {entry: one for entry, one in value.items() if _is_json({entry: one})}
        field = type(message).model_fields.get(name)
        default = field.get_default(call_default_factory=True) if field else message
        if type(value) is type(default) and value == default:
            continue
        if name != "artifact" or (not quoting and _is_json(value)):
            kept[name] = value
    return kept


def _is_json(value: object) -> bool:
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError, RecursionError):
        return False


def to_message(turn: Turn) -> BaseMessage:
    """A turn as a message, equal to the one that it was made from.

    A turn that was edited since says its new words and nothing else: no call is left in it, and
    only those blocks in which nothing was said.
    """
    extra = (turn.metadata or {}).get(METADATA, {})
    if "quotes" not in extra and not _lie_in(turn.text, extra):
        extra = _edited(turn.text, extra)
    kind = extra.get("type", TYPES.get(turn.role, CHAT))
    data: dict[str, Any] = {"name": turn.name} | ({"role": turn.role} if kind == CHAT else {})
    data |= extra.get("fields", {})
    data |= {"content": _content(turn, extra), "id": extra.get("id", turn.key)}
    if calls := extra.get("calls"):
        data["tool_calls"] = [
            call | {"args": json.loads(turn.text[slice(*call["args"])])} for call in calls
        ]
    if wrong := extra.get("invalid"):
        data["invalid_tool_calls"] = [
            call | {"args": call["args"] and turn.text[slice(*call["args"])]} for call in wrong
        ]
    return messages_from_dict([{"type": kind, "data": data}])[0]


def _lie_in(text: str, extra: dict[str, Any]) -> bool:
    # Whether the parts of a message, put together again, are the text.
    content = text[: extra.get("content")]
    if "blocks" in extra:
        content = ""
        for _, start, end, _ in extra["places"]:
            content, _ = _append(content, text[start:end])
    for call in (*extra.get("calls", ()), *extra.get("invalid", ())):
        start, end = call["args"] or (0, 0)
        content, _ = _append_call(content, call["name"] or "", text[start:end])
    calls = (text[slice(*call["args"])] for call in extra.get("calls", ()))
    return content == text and all(map(_parses, calls))


def _parses(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except json.JSONDecodeError:
        return False


def _edited(text: str, extra: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: extra[name] for name in ("fields", "id", "type") if name in extra}
    if "blocks" in extra:
        said = {place[0] for place in extra["places"]}
        unsaid = [one for number, one in enumerate(extra["blocks"]) if number not in said]
        kept["blocks"] = [{"type": "text", "text": None}, *unsaid]
        kept["places"] = [[0, 0, len(text), "text"]]
    return kept


def _content(turn: Turn, extra: dict[str, Any]) -> str | list[Any]:
    if "quotes" in extra:
        return LEFT_OUT
    if "blocks" not in extra:
        return turn.text[: extra.get("content")]
    blocks: list[Any] = unpacked(extra["blocks"])
    for number, start, end, entry in extra["places"]:
        said = turn.text[start:end]
        blocks[number] = said if entry is None else blocks[number] | {entry: said}
    return blocks
