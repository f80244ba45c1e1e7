"""How sure a lookup is that the memory holds an answer: the score of its best turn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.postings import Postings, idf
from r3mem_agents.lookup.question import Question
from r3mem_agents.lookup.snapshot import Snapshot

WEIGHTIEST = 4
"""Only this many of a question's terms count, the rarest ones: a turn may answer a long question
and share little of it. 3 to 6 separate questions put to their own conversation from those put to
another one about equally well (docs/LOG.md, "knowing when nothing fits")."""

UNHEARD_TURNS = 100
"""Pseudo-count: turns without any term of the question that are added to those of the memory, since
every term would be common in a memory of two turns."""

UNRELATED, UNRELATED_SPREAD = 0.08, 0.07
"""Mean and standard deviation of the similarity of questions to unrelated turns in English
conversations. In other languages, where people talk about themselves, it is up to twice that
(docs/LOG.md, "what unrelated gists look like" and "more to tune on, on a GPU")."""

MAX_ASKED = 12
"""Maximum number of words of a question; a longer message is a statement, which may mention in
passing what was said before. For it a lookup never finds that nothing is relevant. Chosen."""

ANYTHING = 0.5
"""The score of the best turn for a question that has no words and names no speaker or time:
something was said, but whether it is an answer is unknown. Chosen."""

MIN_SURENESS, MIN_SURENESS_UNSAID = 0.035, 0.05
"""A lookup that is less sure finds nothing. The second value applies where the best turn says none
of the weightiest words, and amounts to a similarity of 0.238. Of the questions in other words than
their answers that it was fitted on, 97 % pass it in every file (docs/LOG.md, "more to tune on, on a
GPU"). A name among three words passes the first, also in languages that gists know nothing of."""

ENOUGH = 0.5
"""Lowest similarity at which a turn answers a question without terms of its own: most of these,
such as "And then?", ask for nothing. Chosen."""

OFFSET, COVERED, ALIKE = -5.13, 3.53, 9.2
"""Log-odds that a memory holds an answer: the intercept, the weight of the best turn's coverage of
the question's weightiest terms, and the weight of its similarity. Fitted on questions put to their
own memory and to another one."""

UNKNOWN = 0.25
"""The similarity that a turn is given if its gist means nothing because another model made it: that
of a turn slightly related to the question. One of the question's terms is enough then."""


def sureness(covered: float, alike: float | None) -> float:
    """Return how sure it is that the memory holds an answer, 0 to 1.

    Args:
        covered: Coverage of the turn with the most evidence.
        alike: Its similarity to the question; ``None`` without a gist. A value below that of
            unrelated turns counts as theirs: the language may be one that gists know little of.
    """
    alike = UNKNOWN if alike is None else max(alike, UNRELATED)
    return float(1 / (1 + np.exp(-OFFSET - COVERED * covered - ALIKE * alike)))


def least(covered: float) -> float:
    """Return how sure a lookup has to be, by the coverage of the turn with the most evidence."""
    return MIN_SURENESS if covered > 0 else MIN_SURENESS_UNSAID


def coverage(turns: Snapshot, postings: Postings, question: Question) -> NDArray[np.float64]:
    """Return how much of a question's weightiest words each turn says, 0 to 1; ``(turns,)``.

    The weight of a term is its idf. A turn that says any of them is taken to say its speaker's name
    too. Terms that name a time do not count: turns are from that time rather than mention it.
    """
    documents = len(turns.ids) + UNHEARD_TURNS
    weights = idf(documents, postings.heard)
    weights[np.isin(postings.terms, list(question.timely))] = 0
    unheard = float(idf(documents, np.zeros(1, int))[0])
    weight = dict.fromkeys(postings.asked.difference(question.timely), unheard)
    weight.update(zip(postings.terms.tolist(), weights.tolist(), strict=True))
    each = weights[postings.term] * postings.share
    said = np.bincount(postings.owner, each, len(turns.ids)).astype(float)
    names = [
        sum(weight.get(term, 0.0) for term in speaker.matched(postings.asked))
        for speaker in turns.speakers
    ]
    said += np.where(said > 0, np.array(names)[turns.speaker], 0)
    whole = _weightiest(weight, question.halves)
    return np.minimum(said / whole, 1.0) if whole else np.zeros(len(said))


def _weightiest(weight: Mapping[int, float], halves: frozenset[int]) -> float:
    # The total weight of the weightiest terms, as many as make up ``WEIGHTIEST`` words.
    room, whole = float(WEIGHTIEST), 0.0
    for term in sorted(weight, key=weight.__getitem__, reverse=True):
        if room <= 0:
            break
        room -= 0.5 if term in halves else 1.0
        whole += weight[term]
    return whole
