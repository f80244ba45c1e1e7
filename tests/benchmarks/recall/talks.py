"""Made-up conversations with questions, for the tests of the recall benchmark."""

from __future__ import annotations

from benchmarks.recall.conversations import Conversation, Question, SaidTurn, settle
from benchmarks.recall.measure import Task
from benchmarks.recall.plan import plan
from benchmarks.recall.systems.system import Options

ALICE = [
    ("s1", "Alice", "My dog is called Biscuit."),
    ("s1", "Bob", "A dog! What breed is it?"),
    ("s1", "Alice", "A corgi, three years old."),
    ("s2", "Bob", "The hotel in Lisbon is booked for Friday."),
    ("s2", "Alice", "Perfect, I have always wanted to see the tram number 28."),
]
CAROL = [
    ("m1", "Carol", "The invoice for printer paper came to 42 euros."),
    ("m1", "Dave", "Please pay it before the end of March."),
    ("m1", "Carol", "Done. By the way, the coffee machine is broken again."),
]


def _turns(lines: list[tuple[str, str, str]]) -> tuple[SaidTurn, ...]:
    return tuple(
        SaidTurn(id=f"t{place}", session=session, speaker=speaker, text=text)
        for place, (session, speaker, text) in enumerate(lines)
    )


TALKS = settle(
    [
        Conversation(
            id="alice",
            turns=_turns(ALICE),
            questions=(
                Question(question="What is the dog called?", gold=("t0",), category="fact"),
                Question(question="Which breed is the dog?", gold=("t1", "t2"), category="fact"),
                Question(question="Where is the hotel booked?", gold=("t3",), category="place"),
                Question(question="Which violin does Bob play?", answerable=False),
            ),
        ),
        Conversation(
            id="carol",
            turns=_turns(CAROL),
            questions=(
                Question(question="How much was the printer paper?", gold=("t0",), category="fact"),
                Question(question="What is broken?", gold=("t2",)),
            ),
        ),
    ]
).conversations


def task_for(system: str, model: str = "unused", ablated: tuple[str, ...] = ()) -> Task:
    """Every question about the conversations, put to a system."""
    return Task(system, TALKS, tuple(plan(TALKS, 0)), Options(model, None), ablated)


def count_words(text: str) -> int:
    return len(text.split())
