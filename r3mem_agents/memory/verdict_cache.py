"""An LRU cache of comparisons: which of two turns supersedes the other depends on nothing else.

An agent asks about the same few things again and again, and each time the same turns are alike. As
in ``text_cache``, the key is memory tokens that a store holds, so a hit is exactly what comparing
their texts would give, and these need not even be expanded. Only a hash of them is kept.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from r3mem_agents.forking import Lock, in_children

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens, ReversibleModel

MAX_PAIRS = 1 << 14
"""Maximum number of pairs of a model, some 200 bytes each; chosen."""

Pair = tuple["MemoryTokens", "MemoryTokens"]
"""An older turn and a newer."""


class VerdictCache:
    """Keeps the log-odds of the most recently compared pairs.

    Args:
        max_pairs: Maximum number of pairs of a model.
    """

    def __init__(self, max_pairs: int = MAX_PAIRS) -> None:
        self._most = max_pairs
        self._lock = Lock()
        self._empty()
        in_children(self._empty)

    def known(self, model: ReversibleModel, pairs: Sequence[Pair]) -> list[float | None]:
        """Return the log-odds of pairs; ``None`` for those that were not compared lately."""
        with self._lock:
            odds = self._of(model)
            keys = [_key(pair) for pair in pairs]
            for key in keys:
                if key in odds:
                    odds.move_to_end(key)
            return [odds.get(key) for key in keys]

    def keep(self, model: ReversibleModel, pairs: Sequence[Pair], odds: Sequence[float]) -> None:
        """Add the log-odds of pairs that were just compared."""
        with self._lock:
            kept = self._of(model)
            for pair, one in zip(pairs, odds, strict=True):
                kept[_key(pair)] = one
                if len(kept) > self._most:
                    kept.popitem(last=False)

    def clear(self) -> None:
        """Empty the cache, because some of its turns may have been forgotten."""
        with self._lock:
            self._empty()

    def _of(self, model: ReversibleModel) -> OrderedDict[bytes, float]:
        return self._odds.setdefault(model, OrderedDict())

    def _empty(self) -> None:
        # By model, since no fingerprint is of the network that compares.
        self._odds: WeakKeyDictionary[ReversibleModel, OrderedDict[bytes, float]]
        self._odds = WeakKeyDictionary()


def _key(pair: Pair) -> bytes:
    found = hashlib.blake2b(digest_size=16)
    for part in (part for one in pair for part in (one.code, one.gists)):
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.digest()
