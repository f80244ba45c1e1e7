"""A unigram model of word pieces as sorted arrays, which are searched where they lie in a file.

The library ``tokenizers`` builds a tree of its pieces first: for 73,728 of them a tenth of a second
and 60 MB.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_END = b"\1"
"""Ends a piece in the table: NumPy takes zeros at the end of bytes for none."""

_PENALTY = 10.0
"""How much less likely than any piece a character without one is (``tokenizers``, as
SentencePiece)."""


@dataclass(frozen=True, slots=True)
class Unigram:
    """Pieces with their log probabilities.

    Attributes:
        names: UTF-8 of each piece and ``_END``, ascending; ``(pieces,)`` of bytes.
        ids: int32 ``(pieces,)``.
        scores: float64 ``(pieces,)``, log probabilities.
        unknown: Id of what has no piece.
    """

    names: NDArray[np.bytes_]
    ids: NDArray[np.int32]
    scores: NDArray[np.float64]
    unknown: int

    @classmethod
    def of(cls, vocabulary: Sequence[tuple[str, float]], unknown: int) -> Unigram:
        """Arrays of pieces with their log probabilities, in the order of their ids."""
        last = {name: (id_, score) for id_, (name, score) in enumerate(vocabulary)}
        names = np.array([name.encode() + _END for name in last])
        ids, scores = zip(*last.values(), strict=True)
        order = np.argsort(names)
        return cls(names[order], np.array(ids, np.int32)[order], np.array(scores)[order], unknown)

    def cut(self, words: Collection[str]) -> dict[str, list[int]]:
        """Ids of the most likely pieces of words."""
        longest = self.names.dtype.itemsize - len(_END)
        parts = {
            word[start:end]
            for word in words
            for start in range(len(word))
            for end in range(start + 1, min(start + longest, len(word)) + 1)
        }
        known = self._known([part for part in parts if len(part.encode()) <= longest])
        worst = float(self.scores.min()) - _PENALTY if parts else 0.0
        return {word: self._most_likely(word, known, worst, longest) for word in words}

    def _known(self, parts: Sequence[str]) -> dict[str, tuple[int, float]]:
        """Those parts that are pieces, with their ids and log probabilities."""
        wanted: NDArray[Any] = np.array([part.encode() + _END for part in parts], self.names.dtype)
        places = np.minimum(np.searchsorted(self.names, wanted), len(self.names) - 1)
        there = np.flatnonzero(self.names[places] == wanted)
        ids, scores = self.ids[places[there]], self.scores[places[there]]
        return {
            parts[place]: (id_, score)
            for place, id_, score in zip(there.tolist(), ids.tolist(), scores.tolist(), strict=True)
        }

    def _most_likely(
        self, word: str, known: Mapping[str, tuple[int, float]], worst: float, longest: int
    ) -> list[int]:
        """The path of greatest sum (Viterbi); of equal ones that whose last pieces are longest."""
        best: list[tuple[float, int, int]] = [(0.0, 0, self.unknown)]
        best += [(-np.inf, 0, self.unknown)] * len(word)
        for start in range(len(word)):
            sum_ = best[start][0]
            for end in range(start + 1, min(start + longest, len(word)) + 1):
                found = known.get(word[start:end])
                if found is None and end > start + 1:
                    continue
                id_, score = found or (self.unknown, worst)
                if sum_ + score > best[end][0]:
                    best[end] = sum_ + score, start, id_
        path: list[int] = []
        end = len(word)
        while end:
            _, end, id_ = best[end]
            if id_ != self.unknown or not path or path[-1] != self.unknown:  # joined to one
                path.append(id_)
        return path[::-1]
