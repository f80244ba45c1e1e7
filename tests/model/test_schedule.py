"""Laws of the order in which an expansion fills positions in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.model.schedule import BACKWARD, CENTRE, FORWARD, Schedule


@pytest.mark.parametrize("rounds", [2, 3, 7, 8, 9, 16, 32])
def test_every_token_lies_beside_one_of_the_round_before(rounds: int) -> None:
    schedule = Schedule.of(64, rounds)
    for length in range(1, 65):
        turns = schedule.round[length].tolist()
        roles = schedule.role[length].tolist()
        assert turns[length:] == [rounds] * (64 - length)
        for place in range(length):
            held = place + {FORWARD: -1, CENTRE: 0, BACKWARD: 1}[roles[place]]
            assert turns[place] < rounds
            if turns[place] == 0:
                assert roles[place] == CENTRE or held in (-1, length)
            else:
                assert turns[held] == turns[place] - 1


def test_short_segments_need_no_centre_and_long_ones_few() -> None:
    schedule = Schedule.of(64, 8)
    centres = (schedule.role == CENTRE).sum(1).tolist()
    passes = [0, *(int(schedule.round[n, :n].max()) + 1 for n in range(1, 65))]
    assert centres[:17] == [0] * 17
    assert [centres[n] for n in (17, 31, 32, 46, 47, 61, 62, 64)] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert [passes[n] for n in (1, 2, 5, 16, 61, 64)] == [1, 1, 3, 8, 8, 7]


@given(st.lists(st.integers(1, 64), min_size=1, max_size=9), st.integers(2, 16))
def test_the_rounds_of_a_batch_fill_every_token_in_once_and_in_order(
    counts: list[int], rounds: int
) -> None:
    schedule, seen = Schedule.of(64, rounds), []
    for round_, (rows, places) in enumerate(schedule.rounds(np.array(counts))):
        filled = list(zip(rows.tolist(), places.tolist(), strict=True))
        assert filled and filled == sorted(filled)
        for row, place in filled:
            assert schedule.round[counts[row], place] == round_
        seen += filled
    assert sorted(seen) == [(row, n) for row, count in enumerate(counts) for n in range(count)]
