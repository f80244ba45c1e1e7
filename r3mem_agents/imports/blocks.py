"""The messages of a chat, and what is said in one that is a text, or a list of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from r3mem_agents.errors import InvalidInputError

TEXTS = ("text", "input_text", "output_text", "voice_note")
"""Types of blocks that hold what was said; a voice note what was heard."""


def messages_of(chat: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The messages of a chat.

    Args:
        chat: With a field ``messages``.
        name: What it is called, for the error.

    Raises:
        InvalidInputError: They are no list of messages.
    """
    there = chat.get("messages")
    if not isinstance(there, list) or not all(isinstance(one, dict) for one in there):
        raise InvalidInputError(f"{name}: messages is no list of messages")
    return there


def texts(content: Any) -> list[str]:
    """The texts of a content, without calls, their results, thoughts and pictures."""
    if isinstance(content, str):
        return [content] if content else []
    if not isinstance(content, list):
        return []
    return [
        str(block["text"])
        for block in content
        if isinstance(block, dict) and block.get("type") in TEXTS and block.get("text")
    ]
