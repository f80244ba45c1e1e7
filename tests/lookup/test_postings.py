"""Runs hold the postings that were added, however they came, and give those of any terms."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.lookup.postings import (
    FAN,
    LARGE,
    Run,
    merged,
    owners_by_prefix,
    postings_of,
    said_in,
    unpack,
    with_run,
)

TERMS = st.integers(0, 2**24 - 1) | st.integers(0, 5)
TURNS = st.lists(st.dictionaries(TERMS, st.integers(1, 500), max_size=5), max_size=12)
"""Of each turn how often it says which terms."""

Counted = dict[tuple[int, int], int]
"""How often a turn, by its position, says a term."""


def run_of(first: int, turns: list[dict[int, int]]) -> Run:
    said = sorted((term, place) for place, each in enumerate(turns) for term in each)
    counts = [turns[place][term] for term, place in said]
    terms, times = np.unique(np.repeat([term for term, _ in said], counts), return_counts=True)
    places = np.repeat([place for _, place in said], counts)
    return Run.of(first, len(turns), terms.astype(np.int64), times, places.astype(np.int64))


def counted(runs: tuple[Run, ...]) -> Counted:
    columns = (column.tolist() for column in unpack(runs))
    rows = [((term, owner), count) for term, owner, count in zip(*columns, strict=True)]
    assert len(rows) == len(dict(rows)), "a posting for each term of a turn"
    return dict(rows)


def filled(batches: list[list[dict[int, int]]]) -> tuple[Counted, tuple[Run, ...]]:
    known: Counted = {}
    runs: tuple[Run, ...] = ()
    first = 0
    for turns in batches:
        for place, each in enumerate(turns, first):
            known |= {(term, place): count for term, count in each.items()}
        before, copies = runs, counted(runs)
        runs = with_run(runs, run_of(first, turns))
        assert counted(before) == copies
        first += len(turns)
    return known, runs


@given(batches=st.lists(TURNS, max_size=30), asked=st.sets(TERMS, max_size=6), data=st.data())
def test_any_terms_are_found_in_any_runs(
    batches: list[list[dict[int, int]]], asked: set[int], data: st.DataObject
) -> None:
    known, runs = filled(batches)
    assert counted(runs) == known
    assert all(np.all(np.diff(run.terms.astype(int)) > 0) for run in runs)
    if known:
        asked |= {data.draw(st.sampled_from([*known]))[0]}
    found = postings_of(runs, asked)
    rows = zip(found.terms[found.term], found.owner, found.counts, strict=True)
    wanted = {key: count for key, count in known.items() if key[0] in asked}
    assert {(term, owner): count for term, owner, count in rows} == wanted
    terms = {term for term, _ in wanted}
    assert [*found.terms] == sorted(terms)
    assert [*found.heard] == [sum(term == one for one, _ in wanted) for term in sorted(terms)]
    assert said_in(runs, asked) == terms
    prefixes = {term >> 12 for term in asked}
    beginning = {owner for term, owner in known if term >> 12 in prefixes}
    assert owners_by_prefix(runs, prefixes, 12).tolist() == sorted(beginning)


@given(batches=st.lists(TURNS, min_size=1, max_size=6), data=st.data())
def test_runs_are_merged_and_parted_by_turns(
    batches: list[list[dict[int, int]]], data: st.DataObject
) -> None:
    known, _ = filled(batches)
    sizes = [len(turns) for turns in batches]
    runs = [run_of(sum(sizes[:number]), turns) for number, turns in enumerate(batches)]
    assert counted((merged(runs),)) == known
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=sum(sizes), max_size=sum(sizes))))
    terms, owners, _ = unpack(runs, chosen.astype(bool))
    pairs = {(term, owner) for term, owner in zip(terms.tolist(), owners.tolist(), strict=True)}
    assert pairs == {key for key in known if chosen[key[1]]}


def test_a_question_searches_few_runs() -> None:
    runs: tuple[Run, ...] = ()
    for turn in range(5000):
        runs = with_run(runs, run_of(turn, [dict.fromkeys(range(turn % 50, turn % 50 + 70, 7), 1)]))
    assert len(unpack(runs)[0]) == 50_000
    assert len(runs) < FAN * 6
    whole = merged(runs)
    assert len(with_run([whole._replace(turns=LARGE)] * 20, whole)) == 21, "large ones are left"
