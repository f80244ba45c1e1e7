"""A cache of the most recently used scope indexes, shared by all memories of a process."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass, field

from r3mem_agents.forking import Lock, in_children
from r3mem_agents.memory.damage import indexable
from r3mem_agents.memory.models import tell_of_others
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.records import open_speaker
from r3mem_agents.memory.scope_index import ScopeIndex, ScopeSnapshot
from r3mem_agents.store import Scope, Store
from r3mem_agents.timestamps import now_us

MAX_TURNS = 1_000_000
"""Maximum number of turns in all indexes together, about 160 bytes each; the least recently used
are dropped."""

Key = tuple[str, bytes, Scope, str]


@dataclass(slots=True)
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    index: ScopeIndex | None = None


class IndexCache:
    """Keeps indexes, and brings each up to date when it is used."""

    def __init__(self, max_turns: int = MAX_TURNS) -> None:
        self._most_turns = max_turns
        self._lock = Lock()
        self._renew()
        in_children(self._renew)

    def _renew(self) -> None:
        # New locks that nobody holds, and no index that another thread was changing.
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def snapshot(
        self,
        store: Store,
        scope: Scope,
        obfuscator: Obfuscator,
        gist_bytes: int,
        as_of_us: int | None = None,
    ) -> ScopeSnapshot | None:
        """Return the current turns of a scope, or those known at a time; ``None`` without any."""
        key = _key(store, scope)
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
        with entry.lock:
            # The entry has no index while it is changed: after an interrupt the next call builds a
            # new one.
            index, entry.index = entry.index, None
            index = _up_to_date(index, store, scope, obfuscator, gist_bytes)
            snapshot = None if index is None else index.snapshot(now_us(), as_of_us)
            entry.index = index
        self._make_room(key)
        return snapshot if snapshot is not None and len(snapshot.turns.ids) else None

    def drop(self, store: Store, scope: Scope) -> None:
        """Drop an index, so that the next lookup reads the store again."""
        with self._lock:
            self._entries.pop(_key(store, scope), None)

    def _make_room(self, latest: Key) -> None:
        with self._lock:
            held = sum(len(entry.index or ()) for entry in self._entries.values())
            for key in list(self._entries):
                if held <= self._most_turns or key == latest:
                    return
                held -= len(self._entries.pop(key).index or ())


def _key(store: Store, scope: Scope) -> Key:
    return os.path.abspath(store.name), store.secret, scope, store.encoder


def _up_to_date(
    index: ScopeIndex | None, store: Store, scope: Scope, obfuscator: Obfuscator, gist_bytes: int
) -> ScopeIndex | None:
    known, last = (index.state, index.last) if index else (None, 0)
    found: ScopeIndex | None = None
    with closing(store.index_rows(scope, known, last)) as additions:
        for addition in additions:
            if found is None:
                found = ScopeIndex(addition.state, obfuscator, gist_bytes)
                if index is not None and addition.state.has_rows_of(index.state):
                    found = index
                found.mark(addition.state, addition.marks)
            rows = indexable(addition.rows, addition.unsound, gist_bytes)
            names = {
                row: open_speaker(obfuscator, addition.speakers.get(row))
                for row in found.unnamed(rows.speakers)
            }
            found.add(rows, names)
    if found is not index:  # all was read, and gists of another encoder among it
        tell_of_others(store)
    return found


INDEX_CACHE = IndexCache()
