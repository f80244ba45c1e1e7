"""Silence: how many questions get an answer, and how many of those that should not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.recall.figures import metrics
from benchmarks.recall.figures.run import Run
from benchmarks.recall.figures.wanted import UNNAMED
from benchmarks.recall.measure import Measured
from benchmarks.recall.plan import Ask
from r3mem_agents.train.auroc import auroc

NOTHING_FOUND = float("-inf")
"""The score of an empty result: below every other."""


def silence(run: Run, system: str) -> dict[str, Any]:
    """Separation of questions with an answer from those without, over all and by source.

    Questions with an answer, put to their conversation, are set against two kinds that have none
    there: the unanswerable ones, and the same questions put to another conversation.

    Args:
        run: The run.
        system: Name of the system.
    """
    conversations, asks, measured, seed = run
    sources = [conversations[ask.user].source or UNNAMED for ask in asks]
    return {
        "overall": _silence(asks, measured[system], range(len(asks)), seed),
        "by_source": {
            source: _silence(
                asks,
                measured[system],
                [place for place, one in enumerate(sources) if one == source],
                seed,
            )
            for source in sorted(set(sources))
        },
    }


def _silence(
    asks: Sequence[Ask], measured: Measured, places: Sequence[int], seed: int
) -> dict[str, Any]:
    answerable: list[float] = []
    unanswerable: list[float] = []
    elsewhere: list[float] = []
    for place in places:
        ask, hits = asks[place], measured.rankings[place]
        side = answerable if ask.question.answerable else unanswerable
        side.append(hits[0][1] if hits else NOTHING_FOUND)
        if ask.elsewhere is not None:
            best = measured.elsewhere[place]
            elsewhere.append(NOTHING_FOUND if best is None else best)
    return {
        "answered": _share([score > NOTHING_FOUND for score in answerable], seed),
        "unanswerable": _against(answerable, unanswerable, seed),
        "wrong_conversation": _against(answerable, elsewhere, seed),
    }


def _share(said: Sequence[bool], seed: int) -> dict[str, Any] | None:
    found = metrics.rounded_interval(map(float, said), seed)
    return None if found is None else {"questions": len(said)} | found


def _against(present: list[float], absent: list[float], seed: int) -> dict[str, Any] | None:
    silent = _share([score == NOTHING_FOUND for score in absent], seed)
    apart = auroc(present, absent)
    if silent is None or apart is None:
        return silent
    answered = sum(score > NOTHING_FOUND for score in present) / len(present)
    return silent | {
        "auroc": round(apart, 5),
        "balanced_accuracy": round((answered + silent["value"]) / 2, 5),
    }
