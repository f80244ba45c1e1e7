"""Made-up turns and questions, for timing."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from r3mem_agents.cli.demo import meetings
from r3mem_agents.types import Turn

ASKED_WORDS = 8
TURNS_PER_SESSION = 100
START = datetime(2026, 1, 1, tzinfo=UTC)


def demo_texts() -> list[str]:
    """Sentences of the demonstration's meetings, the stock of ``make_turns``."""
    sentences: list[str] = []
    for turn in meetings.load().turns:
        sentences += [part for part in re.split(r"(?<=[.?!])\s+", turn.text) if len(part) > 12]
    return sentences


def make_turns(texts: Sequence[str], count: int, seed: int, *, combine: bool) -> list[Turn]:
    """Synthetic turns for timing.

    Args:
        texts: Stock to draw from.
        count: Turns to make.
        seed: Seed of the draw.
        combine: Combine one to three texts and number the turn, so that turns differ; otherwise
            each text is a turn as it is.
    """
    generator = random.Random(seed)
    turns = []
    for index in range(count):
        if combine:
            parts = [generator.choice(texts) for _ in range(generator.randint(1, 3))]
            text = f"{' '.join(parts)} That was point {index}."
        else:
            text = generator.choice(texts)
        turns.append(
            Turn(
                role="user" if index % 2 == 0 else "assistant",
                text=text,
                session=f"session {index // TURNS_PER_SESSION}",
                time=START + timedelta(minutes=index),
            )
        )
    return turns


def some_words(generator: random.Random, turns: Sequence[Turn]) -> str:
    """A question: a run of words of one of the turns."""
    words = generator.choice(turns).text.split()
    start = generator.randrange(max(1, len(words) - ASKED_WORDS + 1))
    return " ".join(words[start : start + ASKED_WORDS])
