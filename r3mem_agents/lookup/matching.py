"""Which turns say the terms of a question, in the same or another form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.confidence import UNHEARD_TURNS
from r3mem_agents.lookup.hashes import OPEN_BITS
from r3mem_agents.lookup.postings import (
    Postings,
    Run,
    idf,
    owners_by_prefix,
    postings_of,
)
from r3mem_agents.lookup.question import Question
from r3mem_agents.lookup.snapshot import Snapshot

BEGINNING = 0.6
"""What a word counts that only begins like one of the question, as a share of the weight of that
beginning."""


def said_of(turns: Snapshot, question: Question) -> Postings:
    """Find which of a question's terms each turn says.

    A turn that has any of the terms under which a word may be stored says that word. One that only
    has a word with the same beginning says a share of it, which is smaller the more turns have such
    a word.
    """
    postings = postings_of(turns.postings, question.terms, turns.silent)
    if not question.forms:
        return postings
    others = frozenset[int]().union(*(one.terms for one in question.forms.values()))
    said = postings_of(turns.postings, others, turns.silent)
    plain = ~np.isin(postings.terms[postings.term], list(question.forms))
    owner, counts = [postings.owner[plain]], [postings.counts[plain]]
    terms, share = [postings.terms[postings.term[plain]]], [postings.share[plain]]
    heard = dict(zip(postings.terms.tolist(), postings.heard.tolist(), strict=True))
    documents = len(turns.ids) + UNHEARD_TURNS
    for term, forms in question.forms.items():
        exact, times = _either(said, list(forms.terms))
        near = _beginning(turns.postings, forms.prefixes, exact, turns.silent)
        heard[term] = len(exact) or len(near)
        rare = idf(documents, np.array([len(exact) + len(near), heard[term]]))
        owner += [exact, near]
        counts += [times, np.ones(len(near), np.int64)]
        terms.append(np.full(len(exact) + len(near), term, np.uint32))
        share += [np.ones(len(exact)), np.full(len(near), BEGINNING * rare[0] / rare[1])]
    distinct, place = np.unique(np.concatenate(terms), return_inverse=True)
    return Postings(
        asked=postings.asked,
        terms=distinct,
        owner=np.concatenate(owner),
        term=place,
        counts=np.concatenate(counts),
        share=np.concatenate(share),
        heard=np.fromiter(map(heard.__getitem__, distinct.tolist()), np.int64, len(distinct)),
    )


def _either(said: Postings, terms: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # The turns that say any of some terms, and their greatest count of one of them.
    chosen = np.isin(said.terms, terms)[said.term]
    owner, which = np.unique(said.owner[chosen], return_inverse=True)
    times = np.zeros(len(owner), np.int64)
    np.maximum.at(times, which, said.counts[chosen])
    return owner, times


def _beginning(
    runs: Sequence[Run],
    prefixes: frozenset[int],
    others: NDArray[np.int64],
    silent: NDArray[np.bool_] | None,
) -> NDArray[np.int64]:
    # Other turns, with a word that begins like one.
    found = np.setdiff1d(owners_by_prefix(runs, prefixes, OPEN_BITS), others, assume_unique=True)
    return found if silent is None else found[~silent[found]]
