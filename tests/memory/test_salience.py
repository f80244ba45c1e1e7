"""``summary``: the few turns that say what a session was about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.errors import InvalidInputError, NotFoundError
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

WORDS = st.lists(st.sampled_from(["dog", "cat", "beach", "tax", "Lisbon", "the", "of"]), max_size=8)


@given(said=st.lists(WORDS, min_size=1, max_size=15), k=st.integers(1, 20))
@settings(max_examples=50)
def test_turns_of_the_session_as_they_are_in_their_order(said: list[list[str]], k: int) -> None:
    fake: Any = FakeModel()
    with CompressiveMemory(":memory:", session="now", model=fake) as memory:
        memory.remember("user", "dog dog cat", session="before")
        stored = memory.remember_many(Turn(role="user", text=" ".join(words)) for words in said)
        found = memory.summary(k=k)
        places = [stored.index(turn) for turn in found]
        assert places == sorted(set(places))
        assert len(found) <= k
        assert all(turn.text.strip() for turn in found)
        # Nothing is said twice, and with room enough nothing that was said is missing.
        content = [frozenset(turn.text.split()) - {"the", "of"} for turn in found]
        if k >= len(said):
            wanted = {word for words in said for word in words} - {"the", "of"}
            assert set().union(*content) == wanted


def test_each_topic_comes_once(open_memory: OpenMemory) -> None:
    memory = open_memory(session="today")
    memory.remember("user", "The weather is fine and the weather stays.", session="before")
    for text in (
        "We should plan the wedding in Lisbon for June.",
        "Yes.",
        "The wedding in Lisbon, for June, right.",
        "Before that the tax declaration has to be done, the accountant asks for receipts.",
        "OK.",
        "The weather.",
    ):
        memory.remember("user", text)
    first, second = memory.summary(k=2)
    assert "Lisbon" in first.text
    assert "tax" in second.text
    assert memory.summary("before") == memory.history("before")


def test_sessions_that_are_empty_unknown_or_wrong(open_memory: OpenMemory) -> None:
    memory = open_memory(session="today")
    assert memory.summary() == []
    with pytest.raises(NotFoundError, match="'nowhere'"):
        memory.summary("nowhere")
    memory.remember("user", "")
    assert memory.summary() == []
    with pytest.raises(InvalidInputError, match="k"):
        memory.summary(k=0)
