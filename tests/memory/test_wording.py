"""Spans of time in plain words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from r3mem_agents.memory.explanation.wording import distance, period
from r3mem_agents.timestamps import DAY_US, EVER_US, Span


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ((0, 1), "1970-01-01"),
        ((0, 31), "1970-01-01 to 1970-01-31"),
        ((None, 31), "until 1970-01-31"),
        ((31, None), "since 1970-02-01"),
        ((-(10**6), 10**7), "0001-01-02 to 9999-12-30"),
    ],
)
def test_spans_in_plain_words(days: tuple[int | None, int | None], told: str) -> None:
    start = -EVER_US if days[0] is None else days[0] * DAY_US
    end = EVER_US if days[1] is None else days[1] * DAY_US
    assert period(Span(start, end), datetime(2026, 1, 1, tzinfo=UTC)) == told


@pytest.mark.parametrize(
    ("hours", "told"),
    [(0, "of that time"), (23.9, "of that time"), (24, "less than an hour after"),
     (27, "3 hours after"), (-1, "1 hour before"), (-72, "3 days before")],
)  # fmt: skip
def test_how_far_a_turn_is_from_a_time(hours: float, told: str) -> None:
    assert distance(int(hours * DAY_US / 24), Span(0, DAY_US)) == told
