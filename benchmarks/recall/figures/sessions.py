"""Whole sessions: whether the right one is found, and what is in a session's summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.recall.figures import metrics
from benchmarks.recall.figures.run import Run
from benchmarks.recall.plan import DEPTHS, SESSION_DEPTHS, SUMMARY_TURNS

BY_SESSION = "recall(level='session')"
"""Name for the results of our ``recall`` at the session level."""


def sessions(run: Run) -> dict[str, Any]:
    """Return recall of the gold sessions, and the share of answering turns in sessions' summaries.

    A system's sessions are those of its turns, in order of first appearance. Only conversations
    with several sessions count.
    """
    conversations, asks, measured, seed = run
    session_of = [
        {turn.id: turn.session for turn in conversation.turns} for conversation in conversations
    ]
    judged = [
        (place, {session_of[ask.user][id_] for id_ in ask.question.gold})
        for place, ask in enumerate(asks)
        if ask.question.counted and len(set(session_of[ask.user].values())) > 1
    ]
    rows: dict[str, list[list[str]]] = {}
    for name, one in measured.items():
        rows[name] = [[id_ for id_, _ in one.rankings[place][: DEPTHS[-1]]] for place, _ in judged]
        if one.sessions:
            rows[f"{name} {BY_SESSION}"] = [one.sessions[place] for place, _ in judged]
    systems = {}
    for name, found in rows.items():
        pairs = [
            (_distinct(session_of[asks[place].user], ids), gold)
            for (place, gold), ids in zip(judged, found, strict=True)
        ]
        systems[name] = {
            f"{metric}@{k}": metrics.rounded_interval([count(*pair, k) for pair in pairs], seed)
            for metric, count in metrics.AT_DEPTHS.items()
            for k in SESSION_DEPTHS
        }
    return {
        "questions": len(judged),
        "systems": systems,
        "summaries": _summaries(run),
    }


def _distinct(session_of: Mapping[str, str], ids: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(session_of[id_] for id_ in ids))


def _summaries(run: Run) -> dict[str, Any] | None:
    """How often turns of a session's summary answer a question, compared with all its turns.

    Only sessions with more turns than a summary takes, of conversations whose gold is turns.
    """
    gold: dict[int, set[str]] = {}
    for ask in run.asks:
        if ask.question.counted:
            gold.setdefault(ask.user, set()).update(ask.question.gold)
    inside: list[float] = []
    anywhere: list[float] = []
    for one in run.measured.values():
        for user, turns, chosen in one.summaries:
            if len(turns) > SUMMARY_TURNS and chosen and run.conversations[user].unit == "turn":
                wanted = gold.get(user, set())
                inside.append(len(wanted & set(chosen)) / len(chosen))
                anywhere.append(len(wanted & set(turns)) / len(turns))
    if not inside:
        return None
    return {
        "sessions": len(inside),
        "turns": SUMMARY_TURNS,
        "gold_share": metrics.rounded_interval(inside, run.seed),
        "gold_share_of_all_turns": metrics.rounded_interval(anywhere, run.seed),
    }
