"""The demonstration's file: meetings of a committee, each a session of one conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.recall.conversations import Conversation, Question, SaidTurn
from r3mem_agents.errors import InvalidInputError


def fits(raw: Any) -> bool:
    """Tell whether parsed JSON looks like the demonstration's file."""
    return isinstance(raw, dict) and {"source", "turns", "questions"} <= raw.keys()


def read(raw: Mapping[str, Any], where: str) -> list[Conversation]:
    """Its meetings as one conversation.

    Raises:
        InvalidInputError: It has another shape.
    """
    try:
        turns = tuple(SaidTurn.model_validate(turn) for turn in raw["turns"])
        questions = tuple(Question.model_validate(item) for item in raw["questions"])
        return [Conversation(id="meetings", turns=turns, questions=questions)]
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{where}: {error}") from None
