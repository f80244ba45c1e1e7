"""The targets of questions: their gold turns, or any turn of the sessions of those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from benchmarks.recall.conversations import Conversation, Question
from benchmarks.recall.plan import Ask

UNCATEGORIZED = "uncategorized"
"""Category of questions that name none."""

UNNAMED = "data"
"""Source of conversations that come from no file."""


class Wanted(NamedTuple):
    """A question that recall is measured with.

    Attributes:
        place: Index of the ask.
        question: The question.
        source: Source of the conversation.
        gold: Ids of its gold turns, or the sessions of those.
        session_of: The session of each turn, if any turn of a gold session will do.
    """

    place: int
    question: Question
    source: str
    gold: frozenset[str]
    session_of: Mapping[str, str] | None

    @property
    def category(self) -> str:
        """The category that its figures are listed under."""
        return self.question.category or UNCATEGORIZED

    def found(self, ids: Iterable[str]) -> list[str]:
        """A ranking of turns, as turns or as sessions, whichever gold is counted in."""
        if self.session_of is None:
            return list(ids)
        return [self.session_of[id_] for id_ in ids]


def wanted(conversations: Sequence[Conversation], asks: Sequence[Ask]) -> list[Wanted]:
    """Return the counted questions, in order."""
    rows = []
    sessions = [{turn.id: turn.session for turn in one.turns} for one in conversations]
    for place, ask in enumerate(asks):
        if not ask.question.counted:
            continue
        conversation, gold = conversations[ask.user], ask.question.gold
        by_session = sessions[ask.user] if conversation.unit == "session" else None
        if by_session is not None:
            gold = tuple(by_session[id_] for id_ in gold)
        source = conversation.source or UNNAMED
        rows.append(Wanted(place, ask.question, source, frozenset(gold), by_session))
    return rows
