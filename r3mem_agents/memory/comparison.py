"""Which turns supersede others: the few in question are decoded and compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.superseding import Pairs
from r3mem_agents.memory.damage import expanded
from r3mem_agents.memory.text_cache import TEXT_CACHE

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens, ReversibleModel

T = TypeVar("T")


class Comparison:
    """Compares turns by a model.

    Args:
        model: A model with a network that compares turns.
        ids: Turn ids by position.
        tokens: Reads the memory tokens of turns by their ids; damaged and forgotten turns are
            missing.
    """

    def __init__(
        self,
        model: ReversibleModel,
        ids: NDArray[np.int64],
        tokens: Callable[[Sequence[int]], Mapping[int, MemoryTokens]],
    ) -> None:
        self._model, self._ids, self._tokens = model, ids, tokens

    def __call__(self, pairs: Pairs, wanted: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the log-odds that the newer turn of each pair supersedes the older.

        Args:
            pairs: Positions of the turns.
            wanted: Positions of turns that are needed next: they are read with the others, and
                decoded with them if any has to be decoded.
        """
        both = [(int(self._ids[older]), int(self._ids[newer])) for older, newer in pairs]
        more = self._ids[wanted].tolist()
        tokens = self._tokens(sorted({*more, *(one for pair in both for one in pair)}))
        odds = np.full(len(pairs), -np.inf)
        there = [row for row, pair in enumerate(both) if tokens.keys() >= set(pair)]
        known = TEXT_CACHE.verdicts.known(self._model, [_of(tokens, both[row]) for row in there])
        for row, one in zip(there, known, strict=True):
            if one is not None:
                odds[row] = one
        if new := [row for row, one in zip(there, known, strict=True) if one is None]:
            texts = self._texts(tokens, {*more, *(one for row in new for one in both[row])})
            whole = [row for row in new if texts.keys() >= set(both[row])]
            odds[whole] = self._model.supersedes([_of(texts, both[row]) for row in whole])
            found = [_of(tokens, both[row]) for row in whole]
            TEXT_CACHE.verdicts.keep(self._model, found, odds[whole].tolist())
        return odds

    def _texts(self, tokens: Mapping[int, MemoryTokens], ids: Collection[int]) -> dict[int, str]:
        # Texts of those that are there and whole; damage is told of when they are returned.
        there = sorted(tokens.keys() & ids)
        found = expanded(partial(TEXT_CACHE.expand, self._model), [tokens[turn] for turn in there])
        return {turn: text for turn, text in zip(there, found, strict=True) if text is not None}


def _of(values: Mapping[int, T], pair: tuple[int, int]) -> tuple[T, T]:
    return values[pair[0]], values[pair[1]]
