"""Of two turns one of which supersedes the other, the one asked for ranks first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.lookup.index import Columns, Index
from r3mem_agents.lookup.snapshot import DOCUMENT, USER, Speaker
from r3mem_agents.lookup.superseding import reordered, superseding


@pytest.mark.parametrize("past", [False, True])
@given(
    scores=st.lists(st.floats(0, 1), min_size=6, max_size=6),
    pairs=st.dictionaries(st.integers(0, 4), st.integers(1, 5)),
)
def test_what_is_asked_for_comes_first_in_chains_too(
    scores: list[float], pairs: dict[int, int], past: bool
) -> None:
    chain = {older: max(older + 1, newer) for older, newer in sorted(pairs.items())}
    before = np.array(scores)
    after = reordered(before, chain, past=past)
    for older, newer in chain.items():
        assert (after[older] > after[newer]) if past else (after[newer] >= after[older])
    assert (after >= before).all()
    assert after.max() == pytest.approx(before.max())


@pytest.mark.parametrize(("role", "expected"), [(USER, {0: 1}), (DOCUMENT, {})])
def test_passages_of_documents_supersede_nothing(role: int, expected: dict[int, int]) -> None:
    index = Index(64)
    index.add_speakers([Speaker(1, role)])
    index.add(
        Columns(
            ids=np.array([1, 2]),
            sessions=np.array([1, 1]),
            speakers=np.array([1, 1]),
            times_us=np.array([0, 1]),
            gists=np.zeros((2, 1), np.uint64),
            gist_counts=np.array([1, 1]),
            terms=np.array([7]),
            times=np.array([2]),
            places=np.array([0, 1]),
            asks=np.zeros(2, bool),
        )
    )
    best = np.array([1, 0])
    turns, alike = index.snapshot(), np.ones(2)
    found = superseding(turns, alike, best, lambda pairs, _: np.full(len(pairs), 9.0), best)
    assert found == expected
