"""How sure a lookup is that the memory holds an answer: the score of its best turn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.memory.index import Snapshot

WEIGHTIEST = 4
"""So many of a question's terms count, the rarest ones. Of questions put to their own conversation
and to another one, 4 tell best which is which (docs/LOG.md, "knowing when nothing fits"); and a long
message may be answered by a turn that shares little of it."""

UNHEARD_TURNS = 100
"""Turns that a memory is taken to have beyond its own, none of which has a term of the question: in
a memory of two turns each term would be common."""

LEAST = 0.25
"""Below, nothing relevant is found: one of three terms that are equally rare is enough. More than
99.9 % of the answerable training questions pass (docs/LOG.md, "knowing when nothing fits")."""


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


def coverage(turns: Snapshot, postings: Postings) -> float:
    """The most of a question's weightiest terms that one turn says, by weight, 0 to 1.

    A term weighs its idf. A turn that says one of them says its speaker's name as well.
    """
    documents = len(turns.ids) + UNHEARD_TURNS
    heard = np.bincount(postings.term, minlength=len(postings.terms))
    weights = np.log1p((documents - heard + 0.5) / (heard + 0.5))
    unheard = float(np.log1p((documents + 0.5) / 0.5))
    weight = dict.fromkeys(postings.asked, unheard)
    weight.update(zip(postings.terms.tolist(), weights.tolist(), strict=True))
    said = np.bincount(postings.owner, weights[postings.term], len(turns.ids))
    names = [sum(weight[term] for term in one.terms & postings.asked) for one in turns.speakers]
    said += np.where(said > 0, np.array(names)[turns.speaker], 0)
    whole = sum(sorted(weight.values())[-WEIGHTIEST:])
    return min(float(said.max(initial=0.0)) / whole, 1.0) if whole else 0.0
