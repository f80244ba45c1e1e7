"""The meetings that ship with the package (ATTRIBUTION.md) as turns and questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from r3mem_agents.types import Turn

FILE = Path(__file__).with_name("committee.json")
"""The meetings as they ship with the package."""

STAND_IN_START = datetime(2000, 1, 1, tzinfo=UTC)
"""The meetings have no dates: meeting ``n`` gets day ``n``, turn ``m`` minute ``m`` from this time.
The times keep the order and are never shown."""

SHOWN_QUESTIONS = (
    "What were the two lessons that can be learned from early implementer areas?",
    "Did Kirsty Williams feel there had been any disadvantages to Cardiff Met because that merger "
    "did not go ahead?",
    "What did Tracey Breheny respond to Sian Gwenllian when discussing continuing mental health "
    "service during the lockdown?",
    "What were the three main causes for the financial challenges facing the universities?",
    "Had HEFCW done any assessment of the effect of underfunding research?",
)
"""Chosen for being specific and spread over the four meetings, before any lookup was run; the share
found for all 48 questions is reported beside them."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the meetings.

    Attributes:
        text: The question.
        gold: Identifiers of the turns that answer it.
        shown: Whether its recollections are shown.
    """

    text: str
    gold: frozenset[str]
    shown: bool


@dataclass(frozen=True, slots=True)
class Meetings:
    """The input of the demo.

    Attributes:
        source: Its source, in one line.
        turns: Turns in order; ``metadata`` holds ``id``, ``meeting``, ``turn`` and ``turns``.
        questions: Questions about them.
    """

    source: str
    turns: list[Turn]
    questions: list[Question]

    @property
    def sessions(self) -> list[str]:
        """Names of the meetings, in order."""
        return list(dict.fromkeys(turn.session or "" for turn in self.turns))


def load(turns_limit: int | None = None) -> Meetings:
    """Read the meetings.

    Args:
        turns_limit: Keep about this many turns, the first of every meeting, and only the shown
            questions; everything if ``None``.
    """
    raw = json.loads(FILE.read_bytes())
    by_session: dict[str, list[dict[str, str]]] = {}
    for record in raw["turns"]:
        by_session.setdefault(record["session"], []).append(record)
    if turns_limit is not None:
        share = max(1, turns_limit // len(by_session))
        by_session = {session: records[:share] for session, records in by_session.items()}
    turns = [
        _turn(record, meeting, place, len(records))
        for meeting, records in enumerate(by_session.values(), 1)
        for place, record in enumerate(records, 1)
    ]
    questions = [
        Question(item["question"], frozenset(item["gold"]), item["question"] in SHOWN_QUESTIONS)
        for item in raw["questions"]
        if turns_limit is None or item["question"] in SHOWN_QUESTIONS
    ]
    return Meetings(raw["source"], turns, questions)


def _turn(record: dict[str, str], meeting: int, place: int, places: int) -> Turn:
    return Turn(
        role="user",
        name=record["speaker"],
        text=record["text"],
        session=f"meeting {meeting}",
        time=STAND_IN_START + timedelta(days=meeting - 1, minutes=place - 1),
        metadata={"id": record["id"], "meeting": meeting, "turn": place, "turns": places},
    )
