"""How sure a lookup is that the memory holds an answer: the score of its best turn."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.memory.lookup.index import Snapshot
from r3mem_agents.memory.lookup.postings import Postings, idf

WEIGHTIEST = 4
"""So many of a question's terms count, the rarest ones: a long one may be answered by a turn that
shares little of it. 3 to 6 tell questions put to their own conversation from those put to another
one about as well (docs/LOG.md, "knowing when nothing fits")."""

UNHEARD_TURNS = 100
"""Turns that a memory is taken to have beyond its own, none of which has a term of the question: in
a memory of two turns each term would be common."""

MOST_ASKED = 12
"""Terms of a question at most; a message of more tells something, and may mention in passing what
was said before. Nothing relevant is never found for it. Chosen."""

ANYTHING = 0.5
"""The score of the best turn for a question that names neither words, nor a speaker, nor a time:
something was said, and whether it answers is not known. Chosen."""

LEAST = 0.25
"""Below, nothing relevant is found: one of three terms that are equally rare is enough. More than
99.9 % of the answerable training questions pass (docs/LOG.md, "knowing when nothing fits")."""

ALIKE = 0.65
"""Likeness from which a gist says that a turn answers, whatever terms it has. 99 % of the training
questions put to a memory without an answer stay below (docs/LOG.md, "a gist that is taught")."""


def resemblance(likeness: NDArray[np.float64]) -> float:
    """The likeness of the best gist, ``(turns,)``, if it is one to go by; 0 otherwise."""
    best = float(likeness.max(initial=0.0))
    return best if best >= ALIKE else 0.0


def coverage(turns: Snapshot, postings: Postings, timely: Collection[int] = ()) -> float:
    """The most of a question's weightiest terms that one turn says, by weight, 0 to 1.

    A term weighs its idf. A turn that says one of them says its speaker's name as well.

    Args:
        turns: What is known.
        postings: Where the question's terms are said.
        timely: Terms that name a time: turns are of that time, rather than say it.
    """
    documents = len(turns.ids) + UNHEARD_TURNS
    heard = np.bincount(postings.term, minlength=len(postings.terms))
    weights = idf(documents, heard)
    weights[np.isin(postings.terms, list(timely))] = 0
    unheard = float(idf(documents, np.zeros(1, int))[0])
    weight = dict.fromkeys(postings.asked.difference(timely), unheard)
    weight.update(zip(postings.terms.tolist(), weights.tolist(), strict=True))
    said = np.bincount(postings.owner, weights[postings.term], len(turns.ids)).astype(float)
    names = [
        sum(weight.get(term, 0.0) for term in speaker.matched(postings.asked))
        for speaker in turns.speakers
    ]
    said += np.where(said > 0, np.array(names)[turns.speaker], 0)
    whole = sum(sorted(weight.values())[-WEIGHTIEST:])
    return min(float(said.max(initial=0.0)) / whole, 1.0) if whole else 0.0
