"""A context is the same whether all turns are decoded or only those that may fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import Recollection, StoredTurn, Turn
from r3mem_agents.memory.context import Budget, compose
from r3mem_agents.memory.filling import fitting
from r3mem_agents.memory.text_cache import TEXT_CACHE
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel, FakeTokens

START = datetime(2026, 11, 20, 14, 3, tzinfo=UTC)


class Counting(FakeModel):
    """Counts the texts that it expands."""

    expanded = 0

    def expand(self, tokens: Sequence[FakeTokens]) -> list[str]:
        self.expanded += len(tokens)
        return super().expand(tokens)


def words(text: str) -> int:
    return len(text.split())


def ranked(lengths: Sequence[int]) -> list[Recollection]:
    return [
        Recollection(
            turn=StoredTurn(
                role="user",
                text="word " * length,
                session=f"s{number % 2}",
                time=START + timedelta(minutes=number),
                id=number,
            ),
            score=1 / (number + 1),
        )
        for number, length in enumerate(lengths)
    ]


@given(
    lengths=st.lists(st.integers(1, 400), max_size=16),
    budget=st.integers(1, 2_000),
    size=st.sampled_from([4, 64, 100]),
    known=st.booleans(),
)
@settings(deadline=None)
def test_nothing_is_missed(lengths: list[int], budget: int, size: int, known: bool) -> None:
    turns = ranked(lengths)
    decoded: list[Recollection] = []

    def segments(one: Recollection) -> int:
        return -(-words(one.text) // size) if known else 0

    def decode(some: Sequence[Recollection]) -> Sequence[Recollection]:
        decoded.extend(some)
        return some

    room = Budget(budget)
    filled = compose([fitting(turns, segments, size, room, decode)], room, words)
    assert filled == compose([turns], Budget(budget), words)
    assert decoded == [one for one in turns if one in decoded]
    assert known or decoded == turns


def test_a_context_of_long_turns_decodes_few(open_memory: OpenMemory) -> None:
    model: Any = Counting()
    memory = open_memory(model=model)
    memory.remember_many(
        Turn(
            role="user",
            text=f"Biscuit the dog, part {number}." + " and so on" * 100,
            time=START + timedelta(minutes=number),
        )
        for number in range(12)
    )
    for budget, most in ((10, 0), (700, 3), (100_000, 12)):
        texts = []
        for count in (None, model.count_tokens):  # the same, but that only one is known
            TEXT_CACHE.clear()
            model.expanded = 0
            texts.append(memory.context("dog Biscuit", budget, count=count))
            assert count or model.expanded <= most
        assert texts[0] == texts[1]
        assert texts[0].count("Biscuit") == most - (budget == 700)
