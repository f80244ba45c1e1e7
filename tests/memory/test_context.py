from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, Recollection, StoredTurn, Turn
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.memory.context import NOTHING_FITS, NOTHING_FOUND, Budget, compose
from r3mem_agents.memory.quoting import indented
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

START = datetime(2026, 11, 20, 14, 3, tzinfo=UTC)


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    filled = open_memory(model=FakeModel())
    filled.remember_many(
        [
            Turn(
                role="user",
                text=f"Biscuit the dog, part {i}." + " and so on" * i,
                name="Alice" if i % 2 else None,
                session=f"s{i // 3}",
                time=START + timedelta(minutes=10 - i),
            )
            for i in range(9)
        ]
    )
    return filled


def test_lines_are_dated_and_name_the_speaker(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel(), session="2026-11-20")
    zone = timezone(timedelta(hours=1))
    memory.remember("user", "My dog is called Biscuit.", name="Alice", time=START)
    memory.remember("assistant", "A dog!\nNice.", time=START.astimezone(zone))
    assert memory.context("What is my dog called?", now=START) == (
        "Session 2026-11-20:\n"
        "[2026-11-20 14:03] Alice (user): My dog is called Biscuit.\n"
        "[2026-11-20 14:03] assistant: A dog!\n  Nice."
    )


def test_times_are_those_of_whoever_asks(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    shanghai = ZoneInfo("Asia/Shanghai")
    said = datetime(2026, 4, 16, 6, 30, tzinfo=shanghai)  # 15 April in UTC
    memory.remember("user", "We moved the piano.", time=said.astimezone(UTC))
    now = datetime(2026, 4, 20, tzinfo=shanghai)
    question = "What did we move on 16 April 2026?"
    assert "[2026-04-16 06:30] user: We moved" in memory.context(question, now=now)
    assert "[2026-04-15 22:30] user: We moved" in memory.context(question, now=now.astimezone(UTC))


def test_without_a_now_times_are_local(open_memory: OpenMemory, elsewhere: Any) -> None:
    memory = open_memory(model=FakeModel())
    memory.remember("user", "We moved the piano.", time=START)
    elsewhere("Asia/Kolkata")
    assert "[2026-11-20 19:33] user: We moved" in memory.context("piano")
    elsewhere("America/New_York")
    assert "[2026-11-20 09:03] user: We moved" in memory.context("piano")
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)  # the offset is that of the turn's own day
    memory.remember("user", "We sold the organ.", time=summer)
    assert "[2026-07-01 08:00] user: We sold" in memory.context("organ")


@pytest.mark.parametrize("local", [True, False])
def test_a_day_of_summer_is_that_of_summer_time(
    open_memory: OpenMemory, elsewhere: Any, local: bool
) -> None:
    """Asked in winter, when midnight is an hour later."""
    memory = open_memory(model=FakeModel())
    new_york = ZoneInfo("America/New_York")
    for day, text in ((1, "We moved the piano."), (2, "We sold the organ.")):
        memory.remember("user", text, time=datetime(2026, 7, day, 0, 30, tzinfo=new_york))
    elsewhere("America/New_York")
    now = None if local else datetime(2026, 11, 27, tzinfo=new_york)
    lines = memory.context("What happened on 1 July 2026?", now=now).splitlines()
    assert lines[1:] == ["[2026-07-01 00:30] user: We moved the piano."]


@pytest.mark.parametrize("time", [datetime.min, datetime.max])
def test_any_time_can_be_shown(open_memory: OpenMemory, time: datetime) -> None:
    memory = open_memory(model=FakeModel())
    far = timezone(timedelta(hours=14 if time == datetime.max else -14))
    memory.remember("user", "We moved the piano.", time=time.replace(tzinfo=UTC))
    assert f"[{time.year:04}-" in memory.context("piano", now=START.astimezone(far))


def test_turns_are_grouped_by_session_in_order_of_time(memory: CompressiveMemory) -> None:
    lines = memory.context("Biscuit the dog").splitlines()
    headings = [line for line in lines if line.startswith("Session")]
    assert headings == ["Session s2:", "Session s1:", "Session s0:"]  # later turns, earlier times
    dated = [line[:18] for line in lines if line.startswith("[")]
    assert dated == sorted(dated)
    assert len(dated) == len(set(lines) - set(headings)) == 9


@pytest.mark.parametrize("token_budget", [1, 2, 5, 10, 20, 40, 80, 200, 10_000])
def test_the_budget_is_kept(memory: CompressiveMemory, token_budget: int) -> None:
    text = memory.context("Biscuit the dog", token_budget=token_budget)
    assert memory.model.count_tokens(text) <= token_budget
    if token_budget >= 20:
        assert "Biscuit" in text


def test_nothing_relevant_is_said_in_words(memory: CompressiveMemory) -> None:
    assert memory.context("quantum chromodynamics") == NOTHING_FOUND
    assert memory.context("") == NOTHING_FOUND
    assert memory.context("quantum chromodynamics", token_budget=1) == ""


def test_a_turn_too_long_does_not_shut_out_others(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    memory.remember("user", "Biscuit biscuit " * 500, session="long")
    memory.remember("user", "Biscuit is a dog.", session="short")
    assert "Biscuit is a dog." in memory.context("biscuit", token_budget=50)
    memory.forget(session="short")
    assert memory.context("biscuit", token_budget=50) == NOTHING_FITS


def test_what_the_prompt_has_already_is_left_out(memory: CompressiveMemory) -> None:
    turns = memory.history()
    for options, left in [
        ({"exclude": [turn.id for turn in turns[1:]]}, turns[:1]),
        ({"sessions": ["s1"]}, [turn for turn in turns if turn.session == "s1"]),
        ({"sessions": ["s1"], "exclude": [turns[3].id]}, turns[4:6]),
        ({"roles": ["user"]}, turns),
    ]:
        lines = memory.context("Biscuit the dog", 10_000, **options)  # type: ignore[arg-type]
        assert [turn for turn in turns if turn.text in lines] == left
    everything = [turn.id for turn in turns]
    assert memory.context("Biscuit the dog", exclude=everything) == NOTHING_FOUND
    assert memory.context("Biscuit the dog", exclude=everything, nothing="") == ""
    assert memory.context("Biscuit the dog", token_budget=1, nothing="") == ""
    assert memory.context("Biscuit the dog", roles=["tool"], nothing="-") == "-"


def test_the_caller_may_count(memory: CompressiveMemory) -> None:
    for token_budget in (30, 100, 300):
        text = memory.context("Biscuit the dog", token_budget, count=len)
        assert len(text) <= token_budget
    assert "Biscuit" in text


@given(
    texts=st.lists(st.text(st.sampled_from("ab \n"), max_size=30), max_size=20),
    token_budget=st.integers(1, 300),
    batch=st.integers(1, 5),
)
@settings(deadline=None)
def test_compose_takes_the_best_that_fit(texts: list[str], token_budget: int, batch: int) -> None:
    ranked = [
        Recollection(
            turn=StoredTurn(
                role="user",
                text=text,
                session=f"s{number % 3}",
                time=START - timedelta(hours=number * 7 % 5),
                id=number,
            ),
            score=1 / (number + 1),
        )
        for number, text in enumerate(texts)
    ]
    batches = [ranked[start : start + batch] for start in range(0, len(ranked), batch)]
    text, taken = compose(batches, Budget(token_budget), len)
    assert len(text) <= token_budget
    assert text.count("] user: ") == len(taken)
    assert list(taken) == [one for one in ranked if one in taken]
    assert all(f"] user: {indented(one.text)}" in text for one in taken)
    if ranked and len(compose([ranked[:1]], Budget(10**6), len).text) < token_budget:
        assert taken[0] == ranked[0]
    assert compose([ranked], Budget(10**6), len).taken == tuple(ranked)


@pytest.mark.parametrize("token_budget", [0, -5, 1.5, "800", True])
def test_a_budget_is_a_positive_int(memory: CompressiveMemory, token_budget: Any) -> None:
    with pytest.raises(InvalidInputError, match="token_budget"):
        memory.context("dog", token_budget=token_budget)
