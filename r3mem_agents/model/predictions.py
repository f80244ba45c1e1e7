"""Predicted frequencies in the shape that coding needs: where a symbol lies, and what lies where.

A symbol is a class of tokens, or a token within a class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.model.rangecoder import RangeDecoder
from r3mem_agents.model.scales import TOP_FREQUENCY

Integers = NDArray[np.int64]
Frequencies = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Where true symbols lie among the frequencies predicted for them.

    Each token has two symbols: its class, then the token within that class.

    Attributes:
        start: Sum of the frequencies before the symbol, ``(2, tokens)``.
        size: Its frequency, same shape.
        total: Sum of all, same shape.
    """

    start: Integers
    size: Integers
    total: Integers

    @property
    def bits(self) -> NDArray[np.float64]:
        """Cost of each token, ``(tokens,)``."""
        cost = np.log2(self.total.astype(float)) - np.log2(self.size.astype(float))
        return np.asarray(cost.sum(0))

    @property
    def inferred(self) -> NDArray[np.bool_]:
        """Whether no other class, and no other token in it, was predicted to be likelier."""
        return np.asarray((self.size == TOP_FREQUENCY).all(0))

    def part(self, tokens: slice) -> Intervals:
        """The intervals of some of the tokens."""
        return Intervals(self.start[:, tokens], self.size[:, tokens], self.total[:, tokens])

    @classmethod
    def join(cls, parts: Sequence[Intervals]) -> Intervals:
        """Concatenate intervals along the tokens."""
        none = np.zeros((2, 0), np.int64)
        return cls(
            np.concatenate([none, *(part.start for part in parts)], 1),
            np.concatenate([none, *(part.size for part in parts)], 1),
            np.concatenate([none, *(part.total for part in parts)], 1),
        )

    @classmethod
    def of(cls, classes: Predictions, tokens: Predictions, truth: Integers, size: int) -> Intervals:
        """Locate tokens, given predictions of their classes and of the tokens within these.

        Args:
            classes: A row per token.
            tokens: The same.
            truth: True tokens, ``(tokens,)``.
            size: Tokens of a class.
        """
        symbols = [
            predicted.intervals(some)
            for predicted, some in zip((classes, tokens), np.divmod(truth, size), strict=True)
        ]
        return cls(*(np.stack(column) for column in zip(*symbols, strict=True)))


class Predictions:
    """Frequencies of several predictions, ``(rows, symbols)``, and their cumulative sums."""

    def __init__(self, frequencies: Frequencies) -> None:
        self._sizes = frequencies
        self._edges = np.zeros((len(frequencies), frequencies.shape[1] + 1), np.int64)
        frequencies.cumsum(1, out=self._edges[:, 1:])

    def intervals(self, symbols: Integers) -> tuple[Integers, Integers, Integers]:
        """Where these symbols lie, one per row: start, size and total, as of ``Intervals``."""
        rows = np.arange(len(symbols))
        size = self._sizes[rows, symbols].astype(np.int64)
        return self._edges[rows, symbols], size, self._edges[:, -1]

    def read(self, row: int, decoder: RangeDecoder) -> int:
        """The next symbol of a stream, under the prediction of a row."""
        return decoder.symbol(self._edges[row])
