"""Which turns the message objects of this process are."""

from __future__ import annotations

import weakref
from typing import NamedTuple

from llama_index.core.base.llms.types import ChatMessage

MemoryName = tuple[str, str, str, str | None]
"""Store, user, agent and model."""


class Said(NamedTuple):
    """A message's content in a session of a memory."""

    memory: MemoryName
    session: str
    digest: str


class Delivered:
    """Remembers objects for as long as they live; an object whose content changed is another."""

    def __init__(self) -> None:
        self._turns: dict[int, tuple[weakref.ref[ChatMessage], dict[Said, int]]] = {}

    def note(self, message: ChatMessage, said: Said, turn_id: int) -> None:
        """Record that a message was stored, or is shown, as a turn."""
        place = id(message)
        known = self._turns.get(place)
        if known is None or known[0]() is not message:
            gone = weakref.ref(message, lambda _: self._turns.pop(place, None))
            known = self._turns[place] = gone, {}
        known[1][said] = turn_id

    def turn_of(self, message: ChatMessage, said: Said) -> int | None:
        """The turn that this very object is, if it is one."""
        known = self._turns.get(id(message))
        return known[1].get(said) if known is not None and known[0]() is message else None


DELIVERED = Delivered()
