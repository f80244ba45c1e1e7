from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, ReversibleModel
from r3mem_agents.connect.capture import MAX_QUESTION, SHOWN_TURNS, TOKEN_BUDGET, answer, capture
from r3mem_agents.connect.events import Said
from r3mem_agents.prompts import is_recalled, mark_recalled
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel


def said(text: str, number: int = 1, session: str = "now") -> Said:
    return Said("UserPromptSubmit", session, "user", text, f"{session}-{number}")


def test_a_prompt_is_remembered_and_answered(open_memory: OpenMemory) -> None:
    memory = open_memory(user="ann", session="before")
    assert capture(memory, said("My dog is called Biscuit.", session="before")) == ""
    now = memory.scoped(session="now")
    recalled = capture(now, said("What is my dog called?"))
    assert is_recalled(recalled)
    assert "My dog is called Biscuit." in recalled
    assert "What is my dog called?" not in recalled
    assert [turn.text for turn in memory.history("now")] == ["What is my dog called?"]


def test_an_event_that_is_told_again_is_one_turn(open_memory: OpenMemory) -> None:
    memory = open_memory(user="ann", session="now")
    for _ in range(3):
        capture(memory, said("yes", 1))
    capture(memory, said("yes", 2))
    assert [turn.key for turn in memory.history()] == ["now-1", "now-2"]


def test_what_the_host_still_shows_is_not_recalled(open_memory: OpenMemory) -> None:
    memory = open_memory(user="ann", session="now")
    capture(memory, said("My dog is called Biscuit.", 0))
    assert capture(memory, said("What is my dog called?", 1)) == ""
    for number in range(2, SHOWN_TURNS + 1):
        memory.remember("user", f"Nothing of note, {number}.")
    recalled = capture(memory, said("What is my dog called?", SHOWN_TURNS + 1))
    assert "My dog is called Biscuit." in recalled


def test_what_is_pinned_is_with_every_prompt(open_memory: OpenMemory) -> None:
    memory = open_memory(user="ann", session="now", model=FakeModel())
    rule = memory.remember("user", "Always answer in Portuguese.", session="before")
    assert capture(memory, said("xylophone", 1)) == ""
    memory.pin([rule.id])
    for number in (2, 3):
        assert "Always answer in Portuguese." in capture(memory, said("xylophone", number))


@given(text=st.text(min_size=1), after=st.text())
def test_what_a_memory_gave_is_never_remembered(
    model: ReversibleModel, text: str, after: str
) -> None:
    """Nor is anything else left out."""
    with CompressiveMemory(":memory:", user="ann", session="now", model=model) as memory:
        capture(memory, said(f"{mark_recalled(text)}\n{after}"))
        kept = [turn.text for turn in memory.history()]
    assert kept == ([after] if after.strip() else [])


@given(text=st.text())
def test_what_is_said_is_remembered_to_the_byte(model: ReversibleModel, text: str) -> None:
    with CompressiveMemory(":memory:", user="ann", session="now", model=model) as memory:
        assert capture(memory, replace(said(text), role="assistant")) == ""
        kept = [turn.text for turn in memory.history()]
    assert kept == ([text] if text.strip() else [])


def test_what_is_recalled_keeps_to_its_budget(open_memory: OpenMemory) -> None:
    memory = open_memory(user="ann", session="before")
    for number in range(30):
        memory.remember("user", f"Biscuit ate shoe {number}. " + "It was a good shoe. " * 20)
    recalled = capture(memory.scoped(session="now"), said("What did Biscuit eat?"))
    assert "Biscuit ate shoe" in recalled
    assert memory.model.count_tokens(recalled) <= TOKEN_BUDGET


@pytest.mark.parametrize("place", ["{} {}", "{1} {0}"])
def test_what_is_pasted_into_a_question_does_not_hide_it(
    open_memory: OpenMemory, place: str
) -> None:
    memory = open_memory(user="ann", session="before")
    memory.remember("user", "My dog is called Biscuit.")
    prompt = place.format("What is my dog called?", "0 " * 10 * MAX_QUESTION)
    now = memory.scoped(session="now")
    assert "My dog is called Biscuit." in capture(now, said(prompt))
    assert [turn.text for turn in now.history("now")] == [prompt]


def test_nothing_is_printed_where_there_is_nothing_to_say() -> None:
    assert answer("UserPromptSubmit", "", []) == ""
    assert answer("beforeSubmitPrompt", "", ["damaged"]) == ""
    assert answer("Stop", "", []) == ""
