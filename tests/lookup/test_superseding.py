"""Of two turns one of which supersedes the other, the one asked for ranks first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.lookup.superseding import reordered


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
