"""Predicted frequencies in the shape that coding needs: where a symbol lies, and what lies where.

A symbol is a class of tokens, or a token of a class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.model.exact import PREDICTION_STEPS, TOP_FREQUENCY, frequencies
from r3mem_agents.model.rangecoder import RangeDecoder

_BLOCK = 64
"""Symbols summed together: sums stay below 2**31, and a look-up reads one block of one row."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Where true symbols lie among the frequencies predicted for them.

    Of each token there are two symbols: its class, then the token in that class.

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
        """Those of some of the tokens."""
        return Intervals(self.start[:, tokens], self.size[:, tokens], self.total[:, tokens])

    @classmethod
    def join(cls, parts: Sequence[Intervals]) -> Intervals:
        """Tokens of several, one after another."""
        none = np.zeros((2, 0), np.int64)
        return cls(
            np.concatenate([none, *(part.start for part in parts)], 1),
            np.concatenate([none, *(part.size for part in parts)], 1),
            np.concatenate([none, *(part.total for part in parts)], 1),
        )

    @classmethod
    def of(cls, classes: Predictions, tokens: Predictions, truth: Integers, size: int) -> Intervals:
        """Where tokens lie, given predictions of their classes and of tokens in these classes.

        Args:
            classes: A row per token.
            tokens: The same.
            truth: ``(tokens,)``.
            size: Tokens of a class.
        """
        levels = [
            predicted.intervals(symbols)
            for predicted, symbols in zip((classes, tokens), np.divmod(truth, size), strict=True)
        ]
        return cls(*(np.stack(column) for column in zip(*levels, strict=True)))


class Predictions:
    """Frequencies of several predictions in nats, ``(rows, symbols)``, summed in blocks."""

    def __init__(self, nats: Tensor) -> None:
        predicted = frequencies(nats * PREDICTION_STEPS)
        if missing := -predicted.shape[1] % _BLOCK:
            predicted = F.pad(predicted, (0, missing))
        blocks = predicted.view(len(predicted), -1, _BLOCK)
        sums = blocks.sum(-1, dtype=torch.int32).cpu().numpy()
        self._blocks = blocks.cpu().numpy()
        self._before = np.zeros((len(sums), sums.shape[1] + 1), np.int64)
        np.cumsum(sums, axis=1, dtype=np.int64, out=self._before[:, 1:])

    def intervals(self, symbols: Integers) -> tuple[Integers, Integers, Integers]:
        """Where these symbols lie, one per row: start, size and total, as of ``Intervals``."""
        rows = np.arange(len(symbols))
        block, place = np.divmod(symbols, _BLOCK)
        inside = self._blocks[rows, block]
        before = np.where(np.arange(_BLOCK) < place[:, None], inside, 0).sum(1)
        return (
            self._before[rows, block] + before,
            inside[rows, place].astype(np.int64),
            self._before[:, -1],
        )

    def read(self, row: int, decoder: RangeDecoder) -> int:
        """The next symbol of a stream, under the prediction of a row."""
        before = self._before[row]
        target = decoder.target(int(before[-1]))
        block = int(before.searchsorted(target, side="right")) - 1
        first = int(before[block])
        inside = self._blocks[row, block]
        ends = inside.cumsum(dtype=np.int64)
        place = int(ends.searchsorted(target - first, side="right"))
        size = int(inside[place])
        decoder.consume(first + int(ends[place]) - size, size)
        return block * _BLOCK + place
