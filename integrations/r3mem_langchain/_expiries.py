"""Expiry of items, which is put off when they are read.

A turn does not change, so this is kept in turns of its own, without text, beside the items: a read
can neither undo a write that happens at the same time nor costs what a write costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.prompts import turn_key
from r3mem_langchain._items import METADATA, Kept, Namespace, expiry, session_of

AGENT = "langgraph expiries of "
"""They are apart from the items."""

ROLE = "expiry"

COARSEST = timedelta(seconds=1)
"""A read that would let an item live on for less than this longer does not write; chosen."""


class Expiries:
    """When items are gone, by the ids of their turns."""

    def __init__(self, memory: CompressiveMemory) -> None:
        self._memory = memory.scoped(agent=AGENT + memory.agent)

    def alive(self, items: Mapping[int, Kept], now: datetime) -> dict[int, Kept]:
        """Those of the items that have not expired."""
        later = self._later(items)
        return {
            id_: kept
            for id_, kept in items.items()
            if (gone := later.get(id_, kept.expires_at)) is None or now < gone
        }

    def refresh(self, items: Mapping[int, Kept], now: datetime) -> None:
        """Let items live as long again as when they were put."""
        mortal = {id_: kept for id_, kept in items.items() if kept.ttl is not None}
        later = self._later(mortal)
        turns: list[Turn] = []
        for id_, kept in mortal.items():
            before, after = later.get(id_, kept.expires_at), expiry(now, kept.ttl)
            if before is None or after is None or after - before < COARSEST:
                continue
            turns.append(
                Turn(
                    role=ROLE,
                    text="",
                    session=session_of(kept.namespace),
                    metadata={METADATA: {"of": id_, "expires": after.isoformat()}},
                    key=turn_key(kept.key),
                )
            )
        if turns:
            self._memory.remember_many(turns, replace=True)

    def forget(self, items: Iterable[Kept]) -> None:
        """Leave no trace of items that are deleted."""
        found = [
            id_
            for namespace, keys in _by_namespace(items).items()
            for id_ in self._memory.turn_ids(session_of(namespace), keys=keys)
        ]
        if found:
            self._memory.remember_many([], forget=found)

    def _later(self, items: Mapping[int, Kept]) -> dict[int, datetime]:
        mortal = [kept for kept in items.values() if kept.ttl is not None]
        later: dict[int, datetime] = {}
        for namespace, keys in _by_namespace(mortal).items():
            for turn in self._memory.fetch(keys=keys, session=session_of(namespace)):
                kept = turn.metadata[METADATA]
                later[kept["of"]] = datetime.fromisoformat(kept["expires"])
        return later


def _by_namespace(items: Iterable[Kept]) -> dict[Namespace, list[str]]:
    keys: dict[Namespace, list[str]] = {}
    for kept in items:
        keys.setdefault(kept.namespace, []).append(turn_key(kept.key))
    return keys
