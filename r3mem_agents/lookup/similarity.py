"""Similarity of gists to a question, by sums looked up in tables, and to each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.snapshot import WORD_BITS, Snapshot

Floats = NDArray[np.float64]

WORD_BYTES = WORD_BITS // 8

AT_ONCE = 1 << 14
"""Number of gists whose sums fit into a processor's cache."""

_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) * 2 - 1


def gist_similarity(turns: Snapshot, question: NDArray[np.float32]) -> Floats:
    """Return the similarity of each turn's best gist to a question, -1 without one; ``(turns,)``.

    Args:
        turns: The turns.
        question: The model's vector of the question, ``(gist_bits,)``, of length 1.
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
    """Return the products of a question with gists as vectors of length 1, from -1 to 1.

    A byte of a gist contributes one of 256 sums of eight of the question's numbers, so there is a
    table of these sums for each byte position.

    Args:
        question: ``(gist_bits,)``, of length 1; a positive number asks for a bit that is set.
        gists: Their 64-bit words, ``(gists,)`` each, as an index holds them.
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


def similarity_to(
    gist: Iterable[np.uint64], gists: Sequence[NDArray[np.uint64]], bits: int
) -> NDArray[np.float64]:
    """Return the similarity of gists to one of them: 1 - 2 * hamming / bits, from -1 to 1.

    Args:
        gist: The 64-bit words of one gist.
        gists: The words of all gists, ``(segments,)`` each.
        bits: Number of bits in a gist.
    """
    distance = np.zeros(len(gists[0]), np.int32)
    for word, words in zip(gist, gists, strict=True):
        distance += np.bitwise_count(words ^ word)
    similarity: NDArray[np.float64] = 1 - 2 * distance / bits
    return similarity
