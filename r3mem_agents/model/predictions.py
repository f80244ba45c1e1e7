"""Predicted frequencies in the shape that coding needs: where a token lies, and what lies where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from r3mem_agents.model.exact import TOP_FREQUENCY, frequencies
from r3mem_agents.model.rangecoder import RangeDecoder

_BLOCK = 64
"""Tokens summed together: sums stay below 2**31, and a look-up reads one block of one row."""

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Intervals:
    """Where true tokens lie among the frequencies predicted for them, one row per token.

    Attributes:
        start: Sum of the frequencies before the token.
        size: Its frequency.
        total: Sum of all.
    """

    start: Integers
    size: Integers
    total: Integers

    @property
    def bits(self) -> NDArray[np.float64]:
        """Cost of each token."""
        return np.asarray(np.log2(self.total.astype(float)) - np.log2(self.size.astype(float)))

    @property
    def inferred(self) -> NDArray[np.bool_]:
        """Whether no other token was predicted to be likelier."""
        return np.asarray(self.size == TOP_FREQUENCY)

    def part(self, rows: slice) -> Intervals:
        """Some of the rows."""
        return Intervals(self.start[rows], self.size[rows], self.total[rows])

    @classmethod
    def join(cls, parts: list[Intervals]) -> Intervals:
        """Rows of several, one after another."""
        none = np.zeros(0, np.int64)
        return cls(
            np.concatenate([none, *(part.start for part in parts)]),
            np.concatenate([none, *(part.size for part in parts)]),
            np.concatenate([none, *(part.total for part in parts)]),
        )


class Predictions:
    """Frequencies of several predictions in steps, ``(rows, vocabulary)``, summed in blocks."""

    def __init__(self, steps: Tensor) -> None:
        predicted = frequencies(steps)
        if missing := -predicted.shape[1] % _BLOCK:
            predicted = F.pad(predicted, (0, missing))
        blocks = predicted.view(len(predicted), -1, _BLOCK)
        sums = blocks.sum(-1, dtype=torch.int32).cpu().numpy()
        self._blocks = blocks.cpu().numpy()
        self._before = np.zeros((len(sums), sums.shape[1] + 1), np.int64)
        np.cumsum(sums, axis=1, dtype=np.int64, out=self._before[:, 1:])

    def intervals(self, tokens: Integers) -> Intervals:
        """Where these tokens lie, one per row."""
        rows = np.arange(len(tokens))
        block, place = np.divmod(tokens, _BLOCK)
        inside = self._blocks[rows, block]
        before = np.where(np.arange(_BLOCK) < place[:, None], inside, 0).sum(1)
        return Intervals(
            self._before[rows, block] + before,
            inside[rows, place].astype(np.int64),
            self._before[:, -1],
        )

    def read(self, row: int, decoder: RangeDecoder) -> int:
        """The next token of a stream, under the prediction of a row."""
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
