"""The questions put to each conversation: all random choices, made once for all systems."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.recall.conversations import Conversation, Question

DEPTHS = (1, 3, 5, 10, 20)
"""Depths at which gold turns are counted; the last is the depth of a ranking."""

SESSION_DEPTHS = (1, 3, 5)
"""Depths at which gold sessions are counted."""

SUMMARY_TURNS = 5
"""Turns of a session's summary."""

BUDGETS = (500, 1000, 2000)
"""Tokens of a context."""

FILL = 100
"""Depth of a ranking that fills the budgets: with lines of 20 tokens it fills the largest."""

LOOKED_UP = 5
"""Turns of a timed lookup."""

TIMED_QUESTIONS = 200
"""Number of timed lookups; chosen."""

FILLED_QUESTIONS = 200
"""Questions for which contexts are filled, as each takes a hundred turns; chosen."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, and what is done with it.

    Attributes:
        user: Number of the conversation that it is about.
        question: The question.
        elsewhere: Number of another conversation of the same source that it is put to as well;
            ``None`` if there is none, or the question has no answer anyway.
        timed: Whether a lookup is timed.
        filled: Whether contexts are filled.
    """

    user: int
    question: Question
    elsewhere: int | None
    timed: bool
    filled: bool

    @property
    def depth(self) -> int:
        """Number of turns to rank; for a question without an answer only the best matters."""
        if self.filled:
            return FILL
        return DEPTHS[-1] if self.question.counted else 1


def plan(conversations: Sequence[Conversation], seed: int) -> list[Ask]:
    """Return everything that is asked, in the order of the data.

    Args:
        conversations: The data.
        seed: Seed of the choice of timed and filled questions, and of other conversations.
    """
    generator = random.Random(seed)
    pairs = [
        (user, question)
        for user, conversation in enumerate(conversations)
        for question in conversation.questions
    ]
    counted = [place for place, (_, question) in enumerate(pairs) if question.counted]
    timed = set(generator.sample(range(len(pairs)), min(TIMED_QUESTIONS, len(pairs))))
    filled = set(generator.sample(counted, min(FILLED_QUESTIONS, len(counted))))
    others = [
        [
            other
            for other, conversation in enumerate(conversations)
            if other != user and conversation.source == conversations[user].source
        ]
        for user in range(len(conversations))
    ]
    return [
        Ask(
            user=user,
            question=question,
            elsewhere=generator.choice(others[user])
            if question.answerable and others[user]
            else None,
            timed=place in timed,
            filled=place in filled,
        )
        for place, (user, question) in enumerate(pairs)
    ]
