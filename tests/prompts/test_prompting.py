from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.prompts import is_recalled, mark_recalled, prompt_memory, without_recalled
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

TEXTS = st.lists(st.sampled_from(["dog", "Biscuit", "beach", "Lisbon", "market"]), max_size=30)
TURNS = st.builds(
    lambda number, role, session, words: Turn(
        role=role, session=session, text=f"turn{number}: " + " ".join(words), key=f"key{number}"
    ),
    st.integers(0, 9**6),
    st.sampled_from(["user", "assistant", "tool"]),
    st.sampled_from(["now", "before"]),
    TEXTS,
)


@given(
    turns=st.lists(TURNS, max_size=20, unique_by=lambda turn: turn.key),
    window=st.integers(0, 8),
    budget=st.integers(1, 300),
    data=st.data(),
)
@settings(max_examples=60)
def test_parts_are_verbatim_within_the_budget_and_without_overlap(
    turns: list[Turn], window: int, budget: int, data: st.DataObject
) -> None:
    fake: Any = FakeModel()
    keys = [turn.key for turn in turns if turn.key is not None]
    shown = data.draw(st.sets(st.sampled_from(keys))) if keys else set()
    with CompressiveMemory(":memory:", session="now", model=fake) as memory:
        stored = memory.remember_many(turns)
        found = prompt_memory(
            memory, "dog Biscuit", window=window, k=5, token_budget=budget, shown_keys=shown
        )
    hidden = {turn.key for turn in stored if turn.session == "now" and turn.key in shown}
    session = [turn for turn in stored if turn.session == "now"]
    recent = list(found.recent)
    assert len(recent) <= window
    place = next((i for i, turn in enumerate(session) if turn in recent[:1]), len(session))
    shown_after = [turn for turn in session[place:] if turn.key not in hidden]
    assert recent == _with_their_calls(shown_after)
    assert not recent or recent[0].role != "tool"
    taken = {hit.text for hit in found.recollections}
    assert taken == {turn.text for turn in turns if turn.text in found.recalled}
    for turn in turns:
        times = found.text().count(f"{turn.text.split(':')[0]}:")
        assert times <= 1
        assert turn.key not in hidden or times == 0
    count = fake.count_tokens
    assert count(found.text()) <= budget or found.text() == ""
    assert (found.text() == "") == (not found.recent and not found.recalled)


def _with_their_calls(turns: list[StoredTurn]) -> list[StoredTurn]:
    """Without results of tools that stand where no call can have been."""
    kept: list[StoredTurn] = []
    for turn in turns:
        if turn.role != "tool" or (kept and kept[-1].role != "user"):
            kept.append(turn)
    return kept


def test_what_a_prompt_shows(open_memory: OpenMemory) -> None:
    memory = open_memory(session="today")
    memory.remember("user", "My dog is called Biscuit.", name="Alice", session="last week")
    for number in range(12):
        memory.remember("user", f"Line {number}.", key=f"u{number}")
        memory.remember("assistant", f"Answer {number}.", key=f"a{number}")
    found = prompt_memory(memory, "What is the dog called?", window=4, shown_keys=["a11"])
    assert [turn.text for turn in found.recent] == ["Line 10.", "Answer 10.", "Line 11."]
    assert "Session last week:" in found.recalled
    assert "Alice (user): My dog is called Biscuit." in found.recalled
    assert found.text().startswith("<recalled_memory>\nFrom earlier conversations")
    assert found.text().count("recalled_memory") == 2
    assert found.text().index("Biscuit") < found.text().index("The latest turns")
    none = prompt_memory(memory, "xylophone", window=0)
    assert none.recent == ()


@pytest.mark.parametrize("window", [0, 2])
def test_what_a_prompt_got_is_known_again(open_memory: OpenMemory, window: int) -> None:
    memory = open_memory(session="now")
    memory.remember("user", "My dog is called Biscuit.", session="before")
    memory.remember("user", "Hello.")
    for query in ("What is the dog called?", ""):  # with and without something older
        text = prompt_memory(memory, query, window=window).text()
        assert is_recalled(text) == bool(text)
        assert without_recalled(f"{text}\nAnd now?" if text else "And now?") == "And now?"


@pytest.mark.parametrize("value", [-1, None, "2", 2.5, True])
@pytest.mark.parametrize("option", ["window", "token_budget"])
def test_wrong_limits_are_refused(open_memory: OpenMemory, option: str, value: Any) -> None:
    options: dict[str, Any] = {"window": 1, option: value}
    with pytest.raises(InvalidInputError, match=option):
        prompt_memory(open_memory(), "dog", **options)


@given(text=st.text(max_size=30))
def test_a_users_own_words_are_not_what_was_recalled(text: str) -> None:
    for own in (text, f"<recalled_memory>\n{text}\n</recalled_memory>\nWhat is this?"):
        assert not is_recalled(own)
        assert without_recalled(own) == own
    assert without_recalled(f"{mark_recalled('Old.')}\n{text}") == text


@pytest.mark.parametrize("role", ["assistant", "tool"])
def test_a_window_begins_with_the_user(open_memory: OpenMemory, role: str) -> None:
    memory = open_memory(session="s")
    memory.remember("user", "One.")
    memory.remember(role, "Two.")
    memory.remember("user", "Three.")
    found = prompt_memory(memory, "", window=2)
    assert [turn.text for turn in found.recent] == ["Three."]


def test_what_is_not_recalled_leaves_its_room_to_the_newest(open_memory: OpenMemory) -> None:
    memory = open_memory(session="now", model=FakeModel())
    memory.remember("user", "My dog is called Biscuit.", session="before")
    for number in range(20):
        memory.remember("user", f"Line {number}.")
        memory.remember("assistant", f"Answer {number}.")
    budget = 100
    count = memory.model.count_tokens
    alone = prompt_memory(memory, "xylophone", window=40, token_budget=budget)
    both = prompt_memory(memory, "What is the dog called?", window=40, token_budget=budget)
    assert alone.recalled == ""
    assert "Biscuit" in both.recalled
    assert len(alone.recent) > len(both.recent) > 0
    next_exchange = 2 * count("[2026-11-20 14:03] assistant: Answer 10.\n")
    for found in (alone, both):
        assert budget - 2 * next_exchange < count(found.text()) <= budget
