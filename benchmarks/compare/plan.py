"""How much is measured, and on what."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.synthetic import demo_texts, make_turns, some_words
from r3mem_agents.cli.demo import meetings
from r3mem_agents.types import Turn

Said = dict[str, str]
"""Role, name, session and text of a turn, as ``build`` takes it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    Attributes:
        turns: Turns of the memory that lookups are timed in; no two have the same text.
        many: Turns of the memory that the first lookup is timed in; these repeat the others.
        rounds: How often both builds measure everything, in turn.
        questions: Lookups in a round.
        batch: Turns that are expanded at once, and written at once, in a round.
        single: Turns written one by one in a round.
        seed: Seed of turns and questions.
    """

    turns: int
    many: int
    rounds: int
    questions: int = 25
    batch: int = 128
    single: int = 16
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Inputs:
    """What both builds get.

    Attributes:
        turns: Made of sentences of the demo's meetings.
        questions: Runs of words of these turns.
        meetings: The turns of the demo's meetings, which are long.
        meeting_questions: The questions about them.
    """

    turns: list[Said]
    questions: list[str]
    meetings: list[Said]
    meeting_questions: list[str]

    @classmethod
    def of(cls, plan: Plan) -> Inputs:
        """The inputs of a plan."""
        generator, demo = random.Random(plan.seed), meetings.load()
        made = make_turns(demo_texts(), plan.turns, plan.seed, combine=True)
        questions = [some_words(generator, made) for _ in range(plan.questions * plan.rounds)]
        asked = [question.text for question in demo.questions]
        return cls(_said(made), questions, _said(demo.turns), asked)


def _said(turns: Sequence[Turn]) -> list[Said]:
    return [
        {
            "role": turn.role,
            "session": turn.session or "",
            "text": turn.text,
            **({"name": turn.name} if turn.name else {}),
        }
        for turn in turns
    ]
