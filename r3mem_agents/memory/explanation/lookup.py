"""The outcome of a lookup, and why nothing was found if so."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from r3mem_agents.lookup.confidence import coverage, least
from r3mem_agents.lookup.scoring import GIST_FLOOR
from r3mem_agents.memory.explanation.said_words import SaidWords
from r3mem_agents.memory.explanation.wording import percent, period
from r3mem_agents.memory.filters import Filters
from r3mem_agents.memory.lookups import Lookup
from r3mem_agents.types import LookupExplanation

NO_QUESTION = LookupExplanation(outcome="The question is empty.")
NO_TURNS = LookupExplanation(outcome="The memory of this user with this agent holds no turns.")


def explain_lookup(lookup: Lookup, said: SaidWords) -> LookupExplanation:
    """Explain how a question was read, and with what outcome.

    Args:
        lookup: The lookup.
        said: Which turns say which words of its question.
    """
    question, turns, ranking = lookup.asked.question, lookup.scope.turns, lookup.ranking
    times = tuple(period(span, lookup.now) for span in question.spans)
    outcome = _outcome(lookup, said, times)
    if turns.silent is not None and not ranking.winners:
        outcome += f" Turns that exclude leaves out: {int(turns.silent.sum()):,}."
    return LookupExplanation(
        words=said.words,
        speakers=tuple(lookup.scope.labels(question.named)),
        times=times,
        sureness=ranking.evidence.sure,
        outcome=outcome,
    )


def _outcome(lookup: Lookup, said: SaidWords, times: tuple[str, ...]) -> str:
    turns, question, ranking = lookup.scope.turns, lookup.asked.question, lookup.ranking
    evidence = ranking.evidence
    relevant = int(evidence.relevant.sum())
    if ranking.winners:
        return (
            f"Turns that may answer: {relevant:,} of {len(turns.ids):,}; "
            f"it is {evidence.sure:.2f} sure that the memory holds an answer."
        )
    if relevant:
        return _filtered(lookup)
    if times and question.vague:
        return f"Nothing that it asks for was said at the time that it names, {', '.join(times)}."
    if evidence.best is None:
        return _unlike(said)
    covered = float(coverage(turns, said.postings, question)[evidence.best])
    alike = float(ranking.similarity[evidence.best])
    similarity = f" with a similarity of {alike:.2f}" if alike > -1 else ""
    best = (
        f"turn {turns.ids[evidence.best]} has the most evidence, and says {percent(covered)} of "
        f"the weightiest words{similarity}"
    )
    if evidence.sure < (bar := least(covered)):
        return (
            f"Nothing is relevant: {best}. So it is {evidence.sure:.3f} sure that the memory holds "
            f"an answer, and below {bar} nothing is returned."
        )
    return f"The question asks for nothing in particular: {best}, too little for such a question."


def _unlike(said: SaidWords) -> str:
    if said.words:
        return (
            "Nothing is relevant: no turn says one of its words, and none has a similarity of "
            f"{GIST_FLOOR} or more."
        )
    return (
        "The question has no words to search for, all of them are too common; nor does it ask for "
        "what somebody said, or for what was said at some time."
    )


def _filtered(lookup: Lookup) -> str:
    # How many turns each filter alone would let through.
    filters, evidence = lookup.filters, lookup.ranking.evidence
    alone = {
        one.name: Filters(**{one.name: getattr(filters, one.name)})
        for one in fields(filters)
        if getattr(filters, one.name) != one.default and one.name != "exclude"
    }
    relevant = np.flatnonzero(evidence.relevant)
    passed = {
        name: evidence.score[only.passed(lookup.scope, relevant)] >= (only.min_score or 0.0)
        for name, only in alone.items()
    }
    told = " and ".join(f"{name} lets {int(some.sum()):,} through" for name, some in passed.items())
    return f"Turns that may answer: {len(relevant):,}, but none of them is returned: {told}."
