"""How like gists are to a question, by sums looked up in tables, and to each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.snapshot import WORD_BITS, Snapshot

Floats = NDArray[np.float64]

WORD_BYTES = WORD_BITS // 8

AT_ONCE = 1 << 14
"""Gists whose sums stay in a processor's cache."""

_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) * 2 - 1


def gist_likeness(turns: Snapshot, question: NDArray[np.float32]) -> Floats:
    """Return how like each turn's best gist is to a question, -1 without one; ``(turns,)``.

    Args:
        turns: The turns.
        question: What the model makes of the question, ``(gist_bits,)``, of length 1.
    """
    best = np.full(len(turns.ids), -1.0)
    starts = np.flatnonzero(np.diff(turns.gist_turn, prepend=-1))
    if len(starts):
        each = np.maximum.reduceat(products(question, turns.gists), starts)
        best[turns.gist_turn[starts]] = each
    return best


def products(
    question: NDArray[np.float32], gists: Sequence[NDArray[np.uint64]]
) -> NDArray[np.float32]:
    """Multiply a question with gists as vectors of length 1, from -1 to 1.

    A byte of a gist adds one of 256 sums of eight of the question's numbers, so each place of a
    byte has a table of them.

    Args:
        question: ``(gist_bits,)``, of length 1; a positive number asks for a bit that is set.
        gists: Their words, ``(gists,)`` each, as an index holds them.
    """
    size = len(question) // 8
    tables = question.reshape(size, 8) @ _BITS.T / np.sqrt(np.float32(len(question)))
    found = np.zeros(len(gists[0]), np.float32)
    term = np.empty(min(AT_ONCE, len(found)), np.float32)
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        for word, words in enumerate(gists):
            parts = words[start : start + AT_ONCE].view(np.uint8).reshape(-1, WORD_BYTES)
            for place, table in enumerate(tables[word * WORD_BYTES : (word + 1) * WORD_BYTES]):
                some += np.take(table, parts[:, place], out=term[: len(some)], mode="clip")
    return found


def likeness_to(
    gist: Iterable[np.uint64], gists: Sequence[NDArray[np.uint64]], bits: int
) -> NDArray[np.float64]:
    """Return how like gists are to one of them: 1 - 2 * hamming / bits, from -1 to 1.

    Args:
        gist: The words of one.
        gists: The words of all, ``(segments,)`` each.
        bits: Bits of a gist.
    """
    distance = np.zeros(len(gists[0]), np.int32)
    for word, words in zip(gist, gists, strict=True):
        distance += np.bitwise_count(words ^ word)
    alike: NDArray[np.float64] = 1 - 2 * distance / bits
    return alike
