"""Nothing is found where nothing fits, and scores of different questions can be compared."""

from __future__ import annotations

from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.lookup.confidence import MIN_SURENESS
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

TALK = (
    "My dog is called Biscuit.",
    "We went to Lisbon in spring, the trams were full.",
    "The invoice of the plumber is still not paid.",
    "I am allergic to peanuts, mind that when you cook.",
    "The gym on Mill Street closes at nine.",
)


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    fake: Any = FakeModel()
    memory = open_memory(model=fake)
    for text in TALK:
        memory.remember("user", text, name="Alice")
    return memory


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is my dog called?", 0),
        ("Was the plumber paid?", 2),
        ("When does the gym close?", 4),
        ("What did Alice say of Lisbon?", 1),
        ("How old is the dog?", 0),
    ],
)
def test_what_can_be_answered_is_found(
    memory: CompressiveMemory, question: str, answer: int
) -> None:
    hits = memory.recall(question)
    assert hits[0].text == TALK[answer]
    assert MIN_SURENESS <= hits[0].score <= 1


@pytest.mark.parametrize(
    "question",
    [
        "Which telescope did Chilean astronomers order?",
        "Quantum chromodynamics: gluons, quarks, lattice?",
        "zebra giraffe elephant invoice walrus",
    ],
)
def test_what_cannot_be_answered_is_not(memory: CompressiveMemory, question: str) -> None:
    assert memory.recall(question) == []
    assert memory.context(question) == "Nothing relevant was found in memory."


def test_a_question_that_is_said_scores_more_than_one_that_is_half_said(
    memory: CompressiveMemory,
) -> None:
    whole = memory.recall("the gym on Mill Street")[0].score
    half = memory.recall("the gym on Baker Avenue")[0].score
    assert whole > 0.75
    assert MIN_SURENESS <= half < 0.8 * whole


def test_a_long_message_finds_what_it_mentions(memory: CompressiveMemory) -> None:
    told = "I had a long day: meetings, the train was late, rain, and then the printer broke. "
    hits = memory.recall(told * 3 + "At least my dog Biscuit was glad, he is called by everyone.")
    assert TALK[0] in [hit.text for hit in hits]
