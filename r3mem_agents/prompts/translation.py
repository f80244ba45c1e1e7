"""A host's items (messages, calls, results) as turns, and back.

What is said is the turn's text, so that it is compressed, searched and shown. The metadata holds
the rest of the item, and where in the text each part lies; a plain message has none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from r3mem_agents.prompts.mending import mended
from r3mem_agents.prompts.packing import packed, unpacked
from r3mem_agents.types import Turn

Item = dict[str, Any]


class Said(NamedTuple):
    """Something that is said in an item.

    Attributes:
        path: The keys and numbers that lead to it; a str, or what is written as JSON.
        lead: Words in front of it in the turn's text.
    """

    path: tuple[str | int, ...]
    lead: str = ""


class Translation:
    """The items of one host, each a dict of what JSON can hold, and bytes.

    Example:
        >>> def said(item): return [Said(("content",))]
        >>> def plain(turn): return {"role": turn.role, "content": turn.text}
        >>> translation = Translation("my_host", said, plain)
        >>> turn = translation.turn({"role": "user", "content": "Hi.", "id": 7}, role="user")
        >>> translation.item(turn)
        {'role': 'user', 'content': 'Hi.', 'id': 7}
    """

    def __init__(
        self,
        host: str,
        said: Callable[[Item], Iterable[Said]],
        plain: Callable[[Turn], Item],
    ) -> None:
        """Describe a host's items.

        Args:
            host: Where a turn's metadata holds what is not in its text.
            said: What is said in an item, in the order in which it is.
            plain: A turn as an item, whoever wrote it. An item equal to it needs no metadata.
        """
        self.host = host
        self._said = said
        self._plain = plain

    def turn(self, item: Item, *, role: str, **fields: Any) -> Turn:
        """An item as a turn, its texts ``mended``.

        Args:
            item: The host's; it is not changed.
            role: The turn's.
            **fields: Other fields of the turn, ``metadata`` apart.
        """
        item = mended(item)
        text, rest = "", item
        places: list[list[Any]] = []
        for path, lead in self._said(item):
            value = _at(item, path)
            words = value if isinstance(value, str) else _json(value)
            if words is None:
                continue
            text += ("\n" if text and lead + words else "") + lead + words
            places.append([[*path], len(text) - len(words), len(text)])
            rest = _put(rest, path, None if isinstance(value, str) else 0)
        if places:
            places[-1][-1] = None  # to the end, wherever an edit of the turn moves it
        turn = Turn(role=role, text=text, **fields)
        if self._plain(turn) == item:
            return turn
        return replace(turn, metadata={self.host: {"item": packed(rest), "said": places}})

    def item(self, turn: Turn) -> Item:
        """A turn as an item, equal to the one that it was made from.

        A turn that was edited since is an item with the new words, or a plain one where it had
        several things said in it, or a call, that the new words do not leave apart.
        """
        kept = (turn.metadata or {}).get(self.host)
        if not isinstance(kept, Mapping) or kept.keys() != {"item", "said"}:
            return self._plain(turn)
        item: Item = unpacked(kept["item"])
        before = 0
        try:
            for path, start, end in kept["said"]:
                apart = not before or turn.text[before:start][:1] in ("", "\n")
                if start > len(turn.text) or not apart:
                    return self._plain(turn)
                words, before = turn.text[start:end], end
                item = _put(item, path, words if _at(item, path) is None else json.loads(words))
        except json.JSONDecodeError:
            return self._plain(turn)
        return item if kept["said"] or not turn.text else self._plain(turn)


def call_lead(tool: str) -> str:
    """What stands in front of a tool call's arguments in the text of a turn."""
    return f"[calls {tool}] "


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


def _put(value: Any, path: Sequence[str | int], new: Any) -> Any:
    # A copy, as far as it differs.
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _put(value[path[0]], path[1:], new)
    return copy


def _json(value: Any) -> str | None:
    # What is not the same when it is read stays in the item.
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        return text if json.loads(text) == value else None
    except (TypeError, ValueError, RecursionError):
        return None
