"""The host's messages as turns.

A turn's text is what was said: texts, cited and guarded ones too, and where the host's filter lets
tools pass, what they are called with and what they answer; but not what the host's own tool found
in a memory. What a model thought is not said, and pictures and documents have no words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from strands.types.content import ContentBlock, Message

from r3mem_agents import Turn
from r3mem_agents.prompts import call_lead, mended, turn_key

FOUND = '[{"content": '
STORE = '"store_name": '
"""The first is the beginning of what ``search_memory`` answers, and the second is in it."""


def to_turns(messages: Iterable[Message]) -> list[Turn]:
    """Messages that say something as turns, known by the messages' ids, if they have one."""
    turns = []
    for message in messages:
        text = "\n".join(said for block in message["content"] for said in _said(block) if said)
        if text.strip():
            id_ = message.get("tracking_id")
            key = turn_key(id_) if id_ else None
            turns.append(Turn(role=_role(message), text=mended(text), key=key))
    return turns


def _role(message: Message) -> str:
    results = all("toolResult" in block for block in message["content"])
    return "tool" if results else message["role"]


def _said(block: ContentBlock) -> Iterator[str]:
    content: Any = block  # any of the host's kinds, and those to come
    match content:
        case {"text": str(text)} | {"guardContent": {"text": {"text": str(text)}}}:
            yield text
        case {"citationsContent": {"content": list(parts)}}:
            yield "".join(part.get("text", "") for part in parts)
        case {"toolUse": {"name": name, "input": arguments}}:
            yield call_lead(name) + json.dumps(arguments, ensure_ascii=False, default=str)
        case {"toolResult": {"content": list(parts)}}:
            for part in parts:
                if "json" in part:
                    yield json.dumps(part["json"], ensure_ascii=False, default=str)
                elif not (part.get("text", "").startswith(FOUND) and STORE in part["text"]):
                    yield part.get("text", "")
