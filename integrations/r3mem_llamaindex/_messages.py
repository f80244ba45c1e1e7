"""A host's messages as turns, and back.

What was said is the turn's text: the text blocks, those of a citable document too, and tool calls
with their arguments, so that they are compressed, searched and shown. The metadata holds the rest,
and where in the text each block lies; a plain message has none.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    CitableBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)

from r3mem_agents import Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import call_lead, is_recalled, without_recalled

METADATA = "llama_index"
"""Where a turn's metadata holds what is not in its text."""

ROLES = frozenset(role.value for role in MessageRole)

SPOKEN = ROLES - {"system", "developer"}
"""Roles of those who say something; the others instruct, which is nothing to recall."""

DIGEST_BYTES = 12
"""Of a message's key; chosen: 2**32 messages of a session have a pair alike once in 2**33 times."""


def to_turn(message: ChatMessage, session: str) -> Turn:
    """A message as a turn of a session, without time and key.

    Raises:
        InvalidInputError: If it holds what JSON cannot.
    """
    try:
        dumped = message.model_dump(mode="json")  # which turns what is not finite into None
        json.dumps(message.model_dump(), default=str, allow_nan=False)
    except ValueError as error:
        raise InvalidInputError(f"a message must be what JSON can hold: {error}") from error
    blocks, text = _kept(message.blocks, dumped["blocks"], "")
    extra: dict[str, Any] = {}
    if blocks != _one_block(text):
        extra["blocks"] = blocks
    if dumped["additional_kwargs"]:
        extra["kwargs"] = dumped["additional_kwargs"]
    name = message.additional_kwargs.get("name")
    return Turn(
        role=message.role.value,
        text=text,
        name=name if isinstance(name, str) and name.strip() else None,
        session=session,
        metadata={METADATA: extra} if extra else None,
    )


def to_message(turn: Turn) -> ChatMessage:
    """A turn as a message, equal to the one that it was made from.

    A turn that was edited since says its new words and nothing else: no call is left in it, and
    only those blocks in which nothing was said.
    """
    extra = (turn.metadata or {}).get(METADATA, {})
    kept = extra.get("blocks", _one_block(turn.text))
    if not _lie_in(turn.text, kept):
        unsaid = [one for one in kept if not _said_within([one])]
        kept = [*_one_block(turn.text), *unsaid]
    blocks: list[Any] = [_block(one, turn.text) for one in kept]
    role = turn.role if turn.role in ROLES else MessageRole.USER
    return ChatMessage(role=role, blocks=blocks, additional_kwargs=extra.get("kwargs", {}))


def _lie_in(text: str, blocks: Sequence[dict[str, Any]]) -> bool:
    # Whether what the blocks say, put together again, is the text.
    whole = ""
    for block, field in _said_within(blocks):
        words = text[slice(*block[field])]
        lead = "" if field == "text" else call_lead(block["tool_name"])
        whole += ("\n" if whole and lead + words else "") + lead + words
        if field == "arguments" and not _parses(words):
            return False
    return whole == text


def _said_within(blocks: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    # Blocks in which something is said, in a citable document too, and the field with its place.
    found: list[tuple[dict[str, Any], str]] = []
    for block in blocks:
        if block.get("block_type") == "citable":
            found += _said_within(block["content"])
        found += [
            (block, field)
            for field in ("text", "tool_kwargs", "arguments")
            if isinstance(block.get(field), list)
        ]
    return found


def _parses(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except json.JSONDecodeError:
        return False


def _block(kept: dict[str, Any], text: str) -> dict[str, Any]:
    block = dict(kept)
    for field in ("text", "tool_kwargs"):
        if isinstance(place := block.get(field), list):
            block[field] = text[slice(*place)]
    if place := block.pop("arguments", None):
        block["tool_kwargs"] = json.loads(text[slice(*place)])
    if block.get("block_type") == "citable":
        block["content"] = [_block(inner, text) for inner in block["content"]]
    return block


def _kept(
    blocks: Sequence[object], dumped: Sequence[dict[str, Any]], text: str
) -> tuple[list[dict[str, Any]], str]:
    # Blocks without what is said in them, and the text with that at its end.
    kept: list[dict[str, Any]] = []
    for block, plain in zip(blocks, dumped, strict=True):
        if said := _said(block):
            lead, value, field = said
            text += ("\n" if text and lead + value else "") + lead + value
            plain |= {"text": None, "tool_kwargs": None, field: _place(text, value)}
        elif isinstance(block, CitableBlock):
            plain["content"], text = _kept(block.content, plain["content"], text)
        kept.append({name: value for name, value in plain.items() if value is not None})
    return kept, text


def _said(block: object) -> tuple[str, str, str] | None:
    # Words in front, what the block is rebuilt from, and the field that says where it is.
    if isinstance(block, TextBlock):
        return "", block.text, "text"
    if not isinstance(block, ToolCallBlock):
        return None
    lead = call_lead(block.tool_name)
    if isinstance(block.tool_kwargs, str):
        return lead, block.tool_kwargs, "tool_kwargs"
    try:
        arguments = json.dumps(block.tool_kwargs, ensure_ascii=False)
        same = json.loads(arguments) == block.tool_kwargs
    except (TypeError, ValueError):
        return None
    return (lead, arguments, "arguments") if same else None


def _place(text: str, value: str) -> list[int]:
    return [len(text) - len(value), len(text)]


def _one_block(text: str) -> list[dict[str, Any]]:
    return [{"block_type": "text", "text": [0, len(text)]}]


def digest(turn: Turn) -> str:
    """The same for equal messages, whichever object they are."""
    content = json.dumps([turn.role, turn.text, turn.metadata], sort_keys=True)
    return urlsafe_b64encode(blake2b(content.encode(), digest_size=DIGEST_BYTES).digest()).decode()


def unmark(message: ChatMessage) -> ChatMessage | None:
    """The message without recalled lines in front of it; ``None`` if nothing else is in it.

    A host may hand back what it was given, as a history or as flat text.
    """
    first = message.blocks[0] if message.blocks else None
    if not isinstance(first, TextBlock) or not is_recalled(first.text):
        return message
    rest = without_recalled(first.text).removeprefix("\n")
    blocks = [*([TextBlock(text=rest)] if rest else []), *message.blocks[1:]]
    return message.model_copy(update={"blocks": blocks}) if blocks else None


def calls(message: ChatMessage) -> list[str | None]:
    """Ids of the tool calls in a message: in blocks, or as older models of the host have them."""
    blocks = [one.tool_call_id for one in message.blocks if isinstance(one, ToolCallBlock)]
    older = message.additional_kwargs.get("tool_calls") or ()
    named = [one.get("id") if isinstance(one, dict) else getattr(one, "id", None) for one in older]
    return blocks or named


def answered(message: ChatMessage) -> str | None:
    """Id of the call that a tool's result answers."""
    id_: str | None = message.additional_kwargs.get("tool_call_id")
    return id_
