"""The newest turns as a prompt shows them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, RecentTurns, fit_window
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

Said = tuple[str, int]  # role, tokens

MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["user", "user", "assistant", "assistant", "tool", "system"]),
        st.integers(0, 20),
    ),
    max_size=20,
)


def fit(messages: list[Said], token_budget: int) -> list[Said]:
    numbered = list(enumerate(messages))
    window = fit_window(
        reversed(numbered), token_budget, lambda item: item[1][1], lambda item: item[1][0]
    )
    assert [number for number, _ in window] == sorted({number for number, _ in window})
    assert all(messages[number] == message for number, message in window)
    return [message for _, message in window]


@given(messages=MESSAGES, token_budget=st.integers(0, 100))
def test_a_window_is_what_chat_models_want(messages: list[Said], token_budget: int) -> None:
    window = fit(messages, token_budget)
    roles = [role for role, _ in window if role != "system"]
    if "user" in [role for role, _ in messages]:
        assert roles[0] == "user"
    before = "user"
    for role, _ in window:
        assert role != "tool" or before in ("assistant", "tool")
        before = role
    cost = sum(tokens for _, tokens in window)
    if roles.count("user") > 1 or not roles.count("user"):
        assert cost <= token_budget or len(window) <= 1
    if ("user", 0) not in messages and sum(tokens for _, tokens in messages) <= token_budget:
        assert [role for role, _ in window].count("user") == [r for r, _ in messages].count("user")


@given(messages=MESSAGES)
def test_the_last_exchange_is_always_there(messages: list[Said]) -> None:
    users = [number for number, (role, _) in enumerate(messages) if role == "user"]
    if users:
        window = fit(messages, 0)
        assert window[0][0] == "user" or window[0][0] == "system"
        assert messages[users[-1]] in window


def test_no_more_is_read_than_fits() -> None:
    read: list[int] = []

    def conversation() -> Any:
        for number in range(100, 0, -1):
            read.append(number)
            yield number

    window = fit_window(
        conversation(), 10, lambda _: 2, lambda number: ("user", "assistant")[number % 2]
    )
    assert window == [96, 97, 98, 99, 100]
    assert read == [100, 99, 98, 97, 96, 95]


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    return open_memory(model=CountingModel())


class CountingModel(FakeModel):
    def __init__(self) -> None:
        super().__init__()
        self.expanded = 0

    def expand(self, segments: Any) -> list[str]:
        self.expanded += len(segments)
        return super().expand(segments)


def test_turns_are_expanded_once_and_only_as_far_as_read(memory: Any) -> None:
    stored = [memory.remember("user", f"Turn {number}.") for number in range(100)]
    turns = RecentTurns(memory)
    newest = turns.newest_first(memory.turn_ids())
    assert [next(newest) for _ in range(3)] == stored[:-4:-1]
    assert memory.model.expanded == 16
    assert list(turns.newest_first(memory.turn_ids())) == stored[::-1]
    assert list(turns.newest_first(memory.turn_ids())) == stored[::-1]
    assert memory.model.expanded == 100
    kept = memory.remember("user", "A last one.")
    turns.keep([kept])
    assert next(turns.newest_first(memory.turn_ids())) == kept
    assert memory.model.expanded == 100


def test_what_was_forgotten_is_not_shown(memory: Any) -> None:
    stored = [memory.remember("user", f"Turn {number}.") for number in range(5)]
    turns = RecentTurns(memory)
    ids = memory.turn_ids()
    assert list(turns.newest_first(ids)) == stored[::-1]
    memory.forget(turn_ids=[stored[2].id])
    assert [turn.id for turn in turns.newest_first(memory.turn_ids())] == [5, 4, 2, 1]


def test_what_is_forgotten_between_listing_and_reading_is_passed_over(memory: Any) -> None:
    for number in range(5):
        memory.remember("user", f"Turn {number}.")
    ids = memory.turn_ids()
    memory.forget(turn_ids=[3])
    assert [turn.id for turn in RecentTurns(memory).newest_first(ids)] == [5, 4, 2, 1]


def test_all_objects_of_a_process_share_what_was_read(open_memory: OpenMemory) -> None:
    model: Any = CountingModel()
    memory = open_memory(model=model)
    stored = [memory.remember("user", f"Turn {number}.") for number in range(5)]
    assert list(RecentTurns(memory).newest_first(memory.turn_ids())) == stored[::-1]
    for again in (memory, open_memory(model=model)):
        assert list(RecentTurns(again).newest_first(again.turn_ids())) == stored[::-1]
    assert model.expanded == 5
    for other in (open_memory(user="bob", model=model), open_memory("other.db", model=model)):
        turn = other.remember("user", "Another's.")
        assert list(RecentTurns(other).newest_first([1, 2, 3, 4, 5, 6])) == [turn]


def test_only_so_many_are_kept(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("r3mem_agents.memory.window.MOST_TURNS", 10)
    monkeypatch.setattr("r3mem_agents.memory.window.MOST_MEMORIES", 0)
    for number in range(30):
        memory.remember("user", f"Turn {number}.")
    turns = RecentTurns(memory)
    ids = memory.turn_ids()
    assert len(list(turns.newest_first(ids))) == 30
    before = memory.model.expanded
    assert [turn.id for turn in turns.newest_first(ids[-10:])] == ids[-10:][::-1]
    assert memory.model.expanded == before
    assert [turn.id for turn in turns.newest_first(ids[:20])] == ids[:20][::-1]
    assert memory.model.expanded == before + 20
    assert len(list(RecentTurns(memory).newest_first(ids))) == 30
    assert memory.model.expanded == before + 50
