"""Items of a run as turns, and back.

What is said is the text of every part of a message, what a tool is called with, and what it
answers; what a model thought is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from agents import TResponseInputItem

from r3mem_agents import Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import LEFT_OUT, Said, Translation, call_lead, is_recalled

ROLES = ("user", "assistant", "system", "developer")
"""Roles of messages; other items have none."""

CALLED_WITH = ("arguments", "input", "code")
"""Entries in which a call has what its tool is called with."""

SPOKEN = ("text", "refusal")
"""Entries in which a part of a message, or of an output, has its words."""


def to_turn(item: TResponseInputItem, *, expires: timedelta | None = None) -> Turn:
    """An item as a turn without a time.

    Of a tool's result that quotes a memory, only this is kept: what is forgotten is not left there.

    Args:
        item: The host's.
        expires: How long the turn lives after it is written.

    Raises:
        InvalidInputError: If it is not a dict.
    """
    if not isinstance(item, dict):
        raise InvalidInputError(f"an item must be a dict, not {type(item).__name__}")
    whole = cast(dict[str, Any], item)
    if _quotes(whole.get("output")):
        whole = whole | {"output": LEFT_OUT}
    role = whole.get("role")
    if role not in ROLES:
        role = "tool" if str(whole.get("type")).endswith("_output") else "assistant"
    return TRANSLATION.turn(whole, role=role, expires=expires)


def to_item(turn: Turn) -> TResponseInputItem:
    """A turn as an item, equal to the one that it was made from."""
    return cast(TResponseInputItem, TRANSLATION.item(turn))


def _said(item: dict[str, Any]) -> Iterator[Said]:
    if item.get("type") != "reasoning":
        yield from _words(item, "content")
    for entry in CALLED_WITH:
        if item.get(entry) is not None:
            yield Said((entry,), call_lead(item["name"]) if item.get("name") else "")
    if item.get("output") != LEFT_OUT:
        yield from _words(item, "output")


def _words(item: dict[str, Any], entry: str) -> Iterator[Said]:
    value = item.get(entry)
    if isinstance(value, str):
        yield Said((entry,))
    for number, part in enumerate(value if isinstance(value, list) else ()):
        for name in SPOKEN:
            if isinstance(part, dict) and isinstance(part.get(name), str):
                yield Said((entry, number, name))


def _quotes(output: Any) -> bool:
    if isinstance(output, str):
        return is_recalled(output)
    parts = output if isinstance(output, list) else ()
    return any(isinstance(part, dict) and _quotes(part.get("text")) for part in parts)


def _plain(turn: Turn) -> dict[str, Any]:
    role = turn.role if turn.role in ROLES else "assistant"
    return {"role": role, "content": turn.text}


TRANSLATION = Translation("openai_agents", _said, _plain)
