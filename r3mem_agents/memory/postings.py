"""Where the terms of a question are said, and what a term weighs."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.memory.index import Snapshot

TERM_VALUES = 1 << 24
"""How many values a hashed term can have."""


class Postings(NamedTuple):
    """Where the terms of a question are said.

    Attributes:
        asked: The question's hashed terms.
        terms: Those of them that are said, ascending.
        owner: Position of the turn of each posting; one posting per turn and term.
        term: Term of each posting, a place in ``terms``.
        counts: How often the turn says it.
    """

    asked: frozenset[int]
    terms: NDArray[np.uint32]
    owner: NDArray[np.int32]
    term: NDArray[np.int64]
    counts: NDArray[np.int32]


def postings_of(turns: Snapshot, query_terms: Collection[int]) -> Postings:
    """Find the postings of a question's distinct hashed terms."""
    wanted = np.zeros(TERM_VALUES, bool)  # one look-up per posting, however long the question
    wanted[np.fromiter(query_terms, np.int64, len(query_terms))] = True
    hits = np.flatnonzero(wanted[turns.terms])
    distinct, term = np.unique(turns.terms[hits], return_inverse=True)
    owner, counts = turns.term_turn[hits], turns.term_count[hits]
    return Postings(frozenset(query_terms), distinct, owner, term, counts)


def idf(documents: int, having: NDArray[np.integer]) -> NDArray[np.float64]:
    """Lucene's weight of terms that so many of the documents have.

    ``ln(1 + (N - n + 0.5) / (n + 0.5))``.
    """
    found: NDArray[np.float64] = np.log1p((documents - having + 0.5) / (having + 0.5))
    return found
