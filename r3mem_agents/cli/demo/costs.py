"""The cost of turns in bits, as memory tokens and under a static coder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.types import Turn

if TYPE_CHECKING:
    from r3mem_agents import MemoryTokens, ReversibleModel


@dataclass(frozen=True, slots=True)
class TurnCost:
    """The cost of one turn in memory tokens."""

    turn: Turn
    tokens: int
    bits: int

    @property
    def bits_per_token(self) -> float:
        """Stored bits per token, hash and framing included."""
        return self.bits / max(self.tokens, 1)


class Scales:
    """A model that records the cost of each text that it compresses.

    Attributes:
        weighed: Tokens and stored bits of every text compressed so far, in order.
    """

    def __init__(self, model: ReversibleModel) -> None:
        self._model = model
        self.weighed: list[tuple[int, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def compress(self, texts: Sequence[str]) -> list[MemoryTokens]:
        """Compress texts with the model, and record their costs."""
        stored = self._model.compress(texts)
        self.weighed += [(one.tokens, 8 * len(one.code)) for one in stored]
        return stored

    def costs(self, turns: Sequence[Turn]) -> list[TurnCost]:
        """Return the cost of each turn.

        Args:
            turns: The turns whose texts were compressed, in that order.
        """
        return [TurnCost(turn, *pair) for turn, pair in zip(turns, self.weighed, strict=True)]


def static_costs(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the bits per token of an ideal static entropy coder.

    Args:
        counts: How often each token occurs in the training set; 1 is added to each, so that none is
            impossible.
    """
    seen = counts.astype(np.float64) + 1.0
    costs: NDArray[np.float64] = -np.log2(seen / seen.sum())
    return costs
