"""The newest turns as a prompt shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents import StoredTurn
from r3mem_agents.prompts import fit_window, newest_first
from tests.conftest import OpenMemory

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


def test_the_newest_turns_are_read_as_far_as_the_caller_goes(
    open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = open_memory()
    stored = [memory.remember("user", f"Turn {number}.") for number in range(100)]
    ids = memory.turn_ids()
    read: list[int] = []
    fetch = memory.fetch

    def counted(*, turn_ids: Sequence[int]) -> list[StoredTurn]:
        read.append(len(turn_ids))
        return fetch(turn_ids=turn_ids)

    monkeypatch.setattr(memory, "fetch", counted)
    newest = newest_first(memory, ids)
    assert [next(newest) for _ in range(3)] == stored[:-4:-1]
    assert read == [16]
    assert list(newest_first(memory, ids)) == stored[::-1]
    assert read == [16, 16, 32, 52]
    assert list(newest_first(memory, [])) == []


def test_what_was_forgotten_since_is_passed_over(open_memory: OpenMemory) -> None:
    memory = open_memory()
    for number in range(5):
        memory.remember("user", f"Turn {number}.")
    ids = memory.turn_ids()
    memory.forget(turn_ids=[3])
    assert [turn.id for turn in newest_first(memory, ids)] == [5, 4, 2, 1]
