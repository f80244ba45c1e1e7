"""Work in parts: every row once, and no core much longer than the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.model.native import threads
from r3mem_agents.model.native.library import library

SIZES = st.lists(st.integers(1, 400), max_size=40).map(lambda sizes: np.array(sizes, np.int64))


@given(positions=SIZES, cores=st.integers(1, 8))
def test_each_row_is_done_once_and_no_core_is_kept_waiting(
    positions: np.ndarray, cores: int
) -> None:
    parts: list[np.ndarray] = []
    shared: list[bool] = []

    def work(part: np.ndarray, team: int | None) -> None:
        parts.append(part)
        shared.append(team is not None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "allowed", lambda: cores)
        threads.in_parts(library(), work, positions)
    done = np.concatenate([np.zeros(0, np.int64), *parts])
    assert sorted(done.tolist()) == list(range(len(positions)))
    assert all((np.diff(part) > 0).all() for part in parts)
    taken = [int(positions[part].sum()) for part in parts]
    most = max(min(cores, int(positions.sum()) // threads.WORTH_A_THREAD), 1)
    assert len(taken) <= most
    assert shared == [True] or max(taken, default=0) * most <= threads.EVEN * positions.sum()


@given(sizes=st.lists(st.integers(0, 5), min_size=1, max_size=20), data=st.data())
def test_elements_of_rows_are_found(sizes: list[int], data: st.DataObject) -> None:
    begin = np.cumsum([0, *sizes])
    rows = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=20))
    expected = [place for row in rows for place in range(begin[row], begin[row + 1])]
    assert threads.within(begin, np.array(rows, np.int64)).tolist() == expected
