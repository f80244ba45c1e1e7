"""LoCoMo's own file (Maharana et al., arXiv 2402.17753; github.com/snap-research/locomo)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.recall.conversations import Conversation, Question, SaidTurn
from r3mem_agents.errors import InvalidInputError

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
UNANSWERABLE = 5
"""The category whose questions sound like the conversation and have no answer in it."""

SESSION = re.compile(r"session_(\d+)")
ID = r"D:?(\d+):(\d+)"
EVIDENCE = re.compile(rf"{ID}(?:\s*(?:-|–|to)\s*(?:{ID}|(\d+)))?")
TIME = "%I:%M %p on %d %B, %Y"


def fits(raw: Any) -> bool:
    """Tell whether parsed JSON looks like LoCoMo's file."""
    return (
        isinstance(raw, list)
        and bool(raw)
        and all(isinstance(item, dict) and {"qa", "conversation"} <= item.keys() for item in raw)
    )


def read(raw: Sequence[Mapping[str, Any]], where: str) -> list[Conversation]:
    """Its conversations.

    A turn is what was said; what a picture shows is not part of it.

    Raises:
        InvalidInputError: A sample has another shape; the message says which.
    """
    conversations = []
    for place, sample in enumerate(raw):
        name = str(sample.get("sample_id", place))
        try:
            turns = tuple(_turns(sample["conversation"]))
            order = [turn.id for turn in turns]
            questions = tuple(_question(item, order) for item in sample["qa"])
            conversations.append(Conversation(id=name, turns=turns, questions=questions))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInputError(f"{where}, sample {name}: {error!r}") from None
    return conversations


def _turns(conversation: Mapping[str, Any]) -> Iterator[SaidTurn]:
    numbers = sorted(int(m[1]) for m in map(SESSION.fullmatch, conversation) if m)
    for number in numbers:
        time = datetime.strptime(conversation[f"session_{number}_date_time"], TIME)
        for said in conversation[f"session_{number}"]:
            yield SaidTurn(
                id=said["dia_id"],
                text=said["text"],
                speaker=said["speaker"],
                session=f"session {number}",
                time=time.replace(tzinfo=UTC),
            )


def _question(item: Mapping[str, Any], order: Sequence[str]) -> Question:
    category = item["category"]
    answer = item.get("answer")
    return Question(
        question=item["question"],
        gold=tuple(dict.fromkeys(_gold(item["evidence"], order))),
        category=CATEGORIES[category],
        answer=None if answer is None else str(answer),
        answerable=category != UNANSWERABLE,
    )


def _gold(evidence: Any, order: Sequence[str]) -> Iterator[str]:
    # Lists in lists, several ids in one string, ranges, and ids written D:11:26 or D30:05.
    if not isinstance(evidence, str):
        for part in evidence:
            yield from _gold(part, order)
        return
    matches = list(EVIDENCE.finditer(evidence))
    for match in matches:
        session, turn, end_session, end_turn, end = match.groups()
        first = f"D{int(session)}:{int(turn)}"
        last = first
        if end or end_turn:
            last = f"D{int(end_session or session)}:{int(end_turn or end)}"
        if first in order and last in order:
            yield from order[order.index(first) : order.index(last) + 1]
        else:
            yield from dict.fromkeys((first, last))
    if not matches and evidence.strip():
        yield evidence.strip()
