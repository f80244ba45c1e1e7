"""Items out of a memory: those that were read last are kept, and a batch asks for each thing once.

An item that is put again is another turn with another id, so what is kept under an id stays true
for as long as the memory says that the id is there.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from r3mem_agents import CompressiveMemory, Recollection, StoredTurn
from r3mem_agents.errors import NotFoundError
from r3mem_agents.prompts import turn_key
from r3mem_langchain._items import Kept, Namespace, from_turn, namespace_of, session_of

Place = tuple[Namespace, str]
"""Namespace and key of an item."""

MAX_BYTES = 32 * 2**20
"""Of items that are kept, as JSON; chosen, as the memory keeps as much of its texts."""

ITEM_BYTES = 1024
"""Roughly what an item takes beside its JSON."""


class Items:
    """Reads the items of a memory. Safe to use from several threads."""

    def __init__(self, memory: CompressiveMemory) -> None:
        self._memory = memory
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Items, (self._memory,)

    def read(self, ids: Sequence[int]) -> dict[int, Kept]:
        """Those of the items that exist, by the ids of their turns, in the order given."""
        with self._lock:
            found = {id_: self._kept[id_] for id_ in ids if id_ in self._kept}
            for id_ in found:
                self._kept.move_to_end(id_)
        if missing := [id_ for id_ in ids if id_ not in found]:
            found |= self.keep(self._memory.fetch(turn_ids=missing))
        return {id_: found[id_] for id_ in ids if id_ in found}

    def at(self, places: Iterable[Place]) -> dict[int, Kept]:
        """Those of the items that exist, by the ids of their turns."""
        keys: dict[Namespace, list[str]] = {}
        for namespace, key in places:
            keys.setdefault(namespace, []).append(turn_key(key))
        return self.read(
            [
                id_
                for namespace, mine in keys.items()
                for id_ in self._memory.turn_ids(session_of(namespace), keys=mine)
            ]
        )

    def keep(self, turns: Iterable[StoredTurn]) -> dict[int, Kept]:
        """Keep items that were just written or read; returns them by the ids of their turns."""
        new = {turn.id: from_turn(turn) for turn in turns}
        with self._lock:
            for id_, item in new.items():
                if id_ not in self._kept:
                    self._bytes += _size(item)
                self._kept[id_] = item
                self._kept.move_to_end(id_)
            while self._bytes > MAX_BYTES:
                self._bytes -= _size(self._kept.popitem(last=False)[1])
        return new

    def drop(self, ids: Iterable[int]) -> None:
        """Keep these no longer: they were deleted or put again."""
        with self._lock:
            for id_ in ids:
                if (item := self._kept.pop(id_, None)) is not None:
                    self._bytes -= _size(item)


def _size(item: Kept) -> int:
    return ITEM_BYTES + len(item.json)


class View:
    """A store's contents as one batch sees them; each question is asked when first needed."""

    def __init__(self, memory: CompressiveMemory) -> None:
        self._memory = memory
        self._ids: dict[Namespace, dict[int, None]] = {}

    @cached_property
    def namespaces(self) -> Mapping[Namespace, str]:
        """The namespaces that hold items, and the sessions that hold them."""
        return {namespace_of(session): session for session in self._memory.sessions()}

    def sessions(self, prefix: Namespace) -> list[str]:
        """The sessions of the namespaces that begin so."""
        return [
            session
            for namespace, session in self.namespaces.items()
            if namespace[: len(prefix)] == prefix
        ]

    def ids(self, prefix: Namespace) -> Mapping[int, None]:
        """Ids of what lies in the namespaces that begin so; what was put last comes first."""
        if prefix not in self._ids:
            sessions = self.sessions(prefix)
            found = self._memory.turn_ids(sessions=sessions) if sessions else []
            self._ids[prefix] = dict.fromkeys(reversed(found))  # ids only grow
        return self._ids[prefix]

    def hits(self, query: str, prefix: Namespace, k: int) -> Iterator[list[Recollection]]:
        """Relevant turns, best first: ``k`` at first, and more for as long as they are read."""
        done = 0
        while True:
            try:
                hits = self._memory.recall(
                    query, k, sessions=self.sessions(prefix), neighbours=False
                )
            except NotFoundError:  # a namespace was emptied since
                return
            yield hits[done:]
            if len(hits) < k:
                return
            done, k = len(hits), 16 * k
