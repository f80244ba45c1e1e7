"""Runs hold the postings that were added, however they came, and give those of any terms."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.lookup.postings import (
    FAN,
    MAX_COUNTED,
    OWNER_BITS,
    Run,
    pack,
    postings_of,
    unpack,
    with_run,
)

TERMS = st.integers(0, 2**24 - 1) | st.integers(0, 5)
OWNERS = st.integers(0, 2**OWNER_BITS - 1) | st.integers(0, 5)
POSTINGS = st.dictionaries(st.tuples(TERMS, OWNERS), st.integers(1, 5000), max_size=40)


def packed(postings: dict[tuple[int, int], int]) -> Run:
    terms, owners = (np.array([key[part] for key in postings], np.int64) for part in (0, 1))
    return pack(terms, owners, np.array([*postings.values()], np.int64))


@given(batches=st.lists(POSTINGS, max_size=30), asked=st.sets(TERMS, max_size=6), data=st.data())
def test_any_terms_are_found_in_any_runs(
    batches: list[dict[tuple[int, int], int]], asked: set[int], data: st.DataObject
) -> None:
    known: dict[tuple[int, int], int] = {}
    runs: tuple[Run, ...] = ()
    for batch in batches:
        new = {key: count for key, count in batch.items() if key not in known}
        known.update(new)
        before, copies = runs, [run.copy() for run in runs]
        runs = with_run(runs, packed(new))
        assert all(map(np.array_equal, before, copies))
    assert all(np.all(run[1:] > run[:-1]) for run in runs)
    if known:
        asked |= {data.draw(st.sampled_from([*known]))[0]}
    found = postings_of(runs, asked)
    counted = {key: min(count, MAX_COUNTED) for key, count in known.items()}
    rows = zip(found.terms[found.term], found.owner, found.counts, strict=True)
    assert {(term, owner): count for term, owner, count in rows} == {
        key: count for key, count in counted.items() if key[0] in asked
    }
    assert [*found.terms] == sorted({key[0] for key in known} & asked)


def test_a_question_searches_few_runs() -> None:
    runs: tuple[Run, ...] = ()
    for turn in range(5000):
        terms = np.arange(10) * 7 + turn % 50
        runs = with_run(runs, pack(terms, np.full(10, turn), np.ones(10, np.int64)))
    assert len(unpack(runs)[0]) == 50_000
    assert len(runs) < FAN * 6
