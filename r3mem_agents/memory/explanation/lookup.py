"""What a lookup came to, and why nothing was found where nothing was."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from r3mem_agents.lookup.confidence import coverage, least
from r3mem_agents.lookup.ranking import Filters, Ranking
from r3mem_agents.lookup.scoring import GIST_FLOOR
from r3mem_agents.memory.explanation.asked_words import Heard
from r3mem_agents.memory.explanation.turns import names_of
from r3mem_agents.memory.explanation.wording import percent, period
from r3mem_agents.types import LookupExplanation

NO_QUESTION = LookupExplanation(outcome="The question is empty.")
NO_TURNS = LookupExplanation(outcome="The memory of this user with this agent holds no turns.")


def explain_lookup(
    ranking: Ranking, heard: Heard, filters: Filters, now: datetime | None
) -> LookupExplanation:
    """How a question was read, and what came of it.

    Args:
        ranking: What the lookup came to.
        heard: What turns say of the question's words.
        filters: What turns had to be.
        now: In whose zone dates are told; ``None`` means the local one.
    """
    times = tuple(period(span, now) for span in ranking.question.spans)
    outcome = _outcome(ranking, heard, filters, times)
    if ranking.turns.silent is not None and not ranking.winners:
        outcome += f" Turns that exclude leaves out: {int(ranking.turns.silent.sum()):,}."
    return LookupExplanation(
        words=heard.words,
        speakers=tuple(names_of(ranking)),
        times=times,
        sureness=ranking.evidence.sure,
        outcome=outcome,
    )


def _outcome(ranking: Ranking, heard: Heard, filters: Filters, times: tuple[str, ...]) -> str:
    turns, question, evidence = ranking.turns, ranking.question, ranking.evidence
    relevant = int(evidence.relevant.sum())
    if ranking.winners:
        return (
            f"Turns that may answer: {relevant:,} of {len(turns.ids):,}; "
            f"it is {evidence.sure:.2f} sure that the memory holds an answer."
        )
    if relevant:
        return _filtered(ranking, filters)
    if times and question.vague:
        return f"Nothing that it asks for was said at the time that it names, {', '.join(times)}."
    if evidence.best is None:
        return _unlike(heard)
    covered = float(coverage(turns, heard.postings, question)[evidence.best])
    alike = float(ranking.likeness[evidence.best])
    likeness = f" with a likeness of {alike:.2f}" if alike > -1 else ""
    best = (
        f"turn {turns.ids[evidence.best]} has the most evidence, and says {percent(covered)} of "
        f"the weightiest words{likeness}"
    )
    if evidence.sure < (bar := least(covered)):
        return (
            f"Nothing is relevant: {best}. So it is {evidence.sure:.3f} sure that the memory holds "
            f"an answer, and below {bar} nothing is returned."
        )
    return f"The question asks for nothing in particular: {best}, too little for such a question."


def _unlike(heard: Heard) -> str:
    if heard.words:
        return (
            "Nothing is relevant: no turn says one of its words, and none has a likeness of "
            f"{GIST_FLOOR} or more."
        )
    return (
        "The question has no words to search for, all of them are too common; nor does it ask for "
        "what somebody said, or for what was said at some time."
    )


def _filtered(ranking: Ranking, filters: Filters) -> str:
    # How many turns each filter alone would let through.
    alone = {
        one.name: Filters(**{one.name: getattr(filters, one.name)})
        for one in fields(filters)
        if getattr(filters, one.name) != one.default and one.name != "exclude"
    }
    told = " and ".join(
        f"{name} lets {int(only.find(ranking.turns, ranking.evidence).sum()):,} through"
        for name, only in alone.items()
    )
    relevant = int(ranking.evidence.relevant.sum())
    return f"Turns that may answer: {relevant:,}, but none of them is returned: {told}."
