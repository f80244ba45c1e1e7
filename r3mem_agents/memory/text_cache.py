"""An LRU cache of decoded texts, shared by all memories of a process.

An agent reads its window and the same few turns for every answer. The key of a text is its memory
tokens, so a hit is exactly what decoding them would give, and nothing is found that a store no
longer holds.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from r3mem_agents.forking import Lock, in_children
from r3mem_agents.memory.verdict_cache import VerdictCache

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens, ReversibleModel

MAX_BYTES = 32 * 2**20
"""Maximum size of the texts and memory tokens; chosen: the windows of some thousand
conversations."""

Key = tuple[str, bytes, bytes]


class TextCache:
    """Keeps the most recently used texts.

    Attributes:
        verdicts: What comparing them gave.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.verdicts = VerdictCache()
        self._most_bytes = max_bytes
        self._texts: OrderedDict[Key, str] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        in_children(self._empty)

    def expand(self, model: ReversibleModel, tokens: Sequence[MemoryTokens]) -> list[str]:
        """Return the texts of memory tokens, and decode those that are not in the cache.

        Raises:
            ExpansionError: If one of them is damaged.
        """
        keys = [_key(model, one) for one in tokens]
        with self._lock:
            found = {key: self._texts[key] for key in keys if key in self._texts}
            for key in found:
                self._texts.move_to_end(key)
        missing = {key: one for key, one in zip(keys, tokens, strict=True) if key not in found}
        if missing:
            texts = model.expand(list(missing.values()))
            self.keep(model, missing.values(), texts)
            found.update(zip(missing, texts, strict=True))
        return [found[key] for key in keys]

    def keep(
        self, model: ReversibleModel, tokens: Iterable[MemoryTokens], texts: Iterable[str]
    ) -> None:
        """Add texts that were just compressed or expanded."""
        with self._lock:
            try:
                for one, text in zip(tokens, texts, strict=True):
                    key = _key(model, one)
                    if key not in self._texts:
                        self._bytes += _bytes(key, text)
                    self._texts[key] = text
                    self._texts.move_to_end(key)
                while self._bytes > self._most_bytes:
                    self._bytes -= _bytes(*self._texts.popitem(last=False))
            except BaseException:  # interrupted: the count may not match the contents
                self._empty()
                raise

    def clear(self) -> None:
        """Empty the cache, because some of its texts may have been forgotten."""
        with self._lock:
            self._empty()
        self.verdicts.clear()

    def _empty(self) -> None:
        self._texts = OrderedDict()
        self._bytes = 0


def _key(model: ReversibleModel, one: MemoryTokens) -> Key:
    return model.expander_fingerprint, one.code, one.gists


def _bytes(key: Key, text: str) -> int:
    return len(key[1]) + len(key[2]) + sys.getsizeof(text)


TEXT_CACHE = TextCache()


def clear_text_cache() -> None:
    """Drop the decoded texts that this process keeps, and what comparing them gave.

    Each is decoded and compared again when it is needed. This affects only speed: benchmarks use
    it to time reads as in a new process.
    """
    TEXT_CACHE.clear()
