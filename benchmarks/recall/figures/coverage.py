"""The share of gold turns in a prompt: ``context``, and turns in the order of a ranking."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from benchmarks.recall.conversations import SaidTurn
from benchmarks.recall.figures import metrics
from benchmarks.recall.figures.run import Run
from benchmarks.recall.plan import BUDGETS

CONTEXT = "context()"
"""Name for the output of our ``context``: in chronological order, under session headings."""


def coverage(run: Run, count_tokens: Callable[[str], int]) -> dict[str, Any]:
    """Return the share of the gold turns inside a budget, by system.

    Every system's turns are written as dated lines with their speakers, best first; one that does
    not fit is skipped. A turn is inside ``context``'s string if its text is; gold turns whose text
    is part of another turn's are therefore left out everywhere, and so are questions for which any
    turn of a session will do.

    Args:
        run: The run; contexts were filled for some of its questions.
        count_tokens: Counts tokens, as ``context`` does.
    """
    conversations, asks, measured, seed = run
    turns = [{turn.id: turn for turn in conversation.turns} for conversation in conversations]

    @cache
    def cost(user: int, id_: str) -> int:
        return count_tokens(written(turns[user][id_]) + "\n")

    @cache
    def unmistakable(user: int, id_: str) -> bool:
        text = turns[user][id_].text
        return not any(text in turn.text for turn in turns[user].values() if turn.id != id_)

    judged = {
        place: gold
        for place, ask in enumerate(asks)
        if ask.filled
        and conversations[ask.user].unit == "turn"
        and (gold := [id_ for id_ in ask.question.gold if unmistakable(ask.user, id_)])
    }
    shares: dict[str, dict[int, list[float]]] = {}
    for name, one in measured.items():
        for place, gold in judged.items():
            user = asks[place].user
            ranking = [id_ for id_, _ in one.rankings[place]]
            costs = [cost(user, id_) for id_ in ranking]
            for budget in BUDGETS:
                inside = metrics.take(ranking, costs, budget)
                _add(shares, name, budget, metrics.recall_at(inside, gold, len(ranking)))
        for place, gold in judged.items() if one.contexts else ():
            user = asks[place].user
            for budget, text in one.contexts[place].items():
                inside = [id_ for id_ in gold if turns[user][id_].text in text]
                _add(shares, f"{name} {CONTEXT}", budget, len(inside) / len(gold))
    return {
        "questions": len(judged),
        "budgets": {
            name: {
                str(budget): found.rounded()
                for budget, row in rows.items()
                if (found := metrics.interval(row, seed)) is not None
            }
            for name, rows in shares.items()
        },
    }


def written(turn: SaidTurn) -> str:
    """A turn as a line of a prompt."""
    assert turn.time is not None, "reading the data fills in times"
    return f"[{turn.time:%Y-%m-%d %H:%M}] {turn.speaker or turn.role}: {turn.text}"


def _add(shares: dict[str, dict[int, list[float]]], name: str, budget: int, share: float) -> None:
    shares.setdefault(name, {}).setdefault(budget, []).append(share)
