from __future__ import annotations

from itertools import product
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.recall.figures import metrics
from r3mem_agents.train.auroc import auroc

IDS = st.sampled_from("abcdefgh")
RANKINGS = st.lists(IDS, unique=True)
GOLD = st.sets(IDS, min_size=1)


def test_by_hand() -> None:
    ranking, gold = ["x", "a", "y", "b"], ["a", "b", "c"]
    assert [metrics.recall_at(ranking, gold, k) for k in (1, 2, 4, 9)] == [0, 1 / 3, 2 / 3, 2 / 3]
    assert [metrics.any_at(ranking, gold, k) for k in (1, 2, 4)] == [0, 1, 1]
    assert [metrics.all_at(ranking, gold, k) for k in (1, 4, 9)] == [0, 0, 0]
    assert [metrics.all_at(ranking, gold[:2], k) for k in (2, 3, 4)] == [0, 0, 1]
    assert metrics.reciprocal_rank(ranking, gold, 20) == 1 / 2
    assert metrics.before(ranking, ["a"], ["y", "x"], 4) == 0
    assert metrics.before(ranking, ["a"], ["y", "b"], 4) == 1
    assert metrics.before(ranking, ["b"], ["y"], 4) == 0
    assert metrics.before(ranking, ["b"], ["c"], 3) == 0
    assert metrics.before(ranking, ["b"], ["c"], 4) == 1
    assert metrics.reciprocal_rank(ranking, gold, 1) == 0
    assert auroc([3, 2], [1, 2, 5]) == (1 + 1 + 0 + 1 + 0.5 + 0) / 6
    assert auroc([1.0], [float("-inf")]) == 1
    assert metrics.take(["a", "b", "c", "d"], [4, 7, 3, 1], 8) == ["a", "c", "d"]


@given(ranking=RANKINGS, gold=GOLD, k=st.integers(1, 10))
def test_rankings_by_brute_force(ranking: list[str], gold: set[str], k: int) -> None:
    first = [id_ for place, id_ in enumerate(ranking) if place < k]
    found = [id_ for id_ in gold if id_ in first]
    assert metrics.recall_at(ranking, gold, k) == len(found) / len(gold)
    assert metrics.any_at(ranking, gold, k) == (1.0 if found else 0.0)
    assert metrics.all_at(ranking, gold, k) == (1.0 if len(found) == len(gold) else 0.0)
    places = [first.index(id_) + 1 for id_ in found]
    assert metrics.reciprocal_rank(ranking, gold, k) == (1 / min(places) if places else 0)


SCORES = st.lists(st.sampled_from([float("-inf"), -1.0, 0.0, 0.5, 0.5000001, 2.0]), min_size=1)


@given(positive=SCORES, negative=SCORES)
def test_auroc_counts_all_pairs(positive: list[float], negative: list[float]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a, b in product(positive, negative)]
    found = auroc(positive, negative)
    assert found is not None
    assert isclose(found, sum(pairs) / len(pairs))
    other = auroc(negative, positive)
    assert other is not None
    assert isclose(found, 1 - other)


def test_nothing_has_no_figure() -> None:
    assert auroc([], [1.0]) is None
    assert auroc([1.0], []) is None
    assert metrics.interval([], seed=0) is None


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=30), seed=st.integers(0, 9))
@settings(max_examples=20)
def test_an_interval_lies_between_the_extremes(values: list[float], seed: int) -> None:
    found = metrics.interval(values, seed)
    assert found is not None
    assert isclose(found.value, sum(values) / len(values), abs_tol=1e-12)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found == metrics.interval(values, seed)


def test_an_interval_is_as_wide_as_theory_says() -> None:
    values = [0.0, 1.0] * 200
    found = metrics.interval(values, seed=1)
    assert found is not None
    standard_error = 0.5 / 400**0.5
    assert found.low == pytest.approx(0.5 - 1.96 * standard_error, abs=0.01)
    assert found.high == pytest.approx(0.5 + 1.96 * standard_error, abs=0.01)
    assert found != metrics.interval(values, seed=2)
    wider = metrics.interval(values[:40], seed=1)
    assert wider is not None
    assert wider.high - wider.low > found.high - found.low


@given(costs=st.lists(st.integers(0, 9), max_size=8), budget=st.integers(0, 30))
def test_what_is_taken_fits_and_what_is_not_did_not(costs: list[int], budget: int) -> None:
    ranking = [str(place) for place in range(len(costs))]
    taken = metrics.take(ranking, costs, budget)
    spent = 0
    for id_, cost in zip(ranking, costs, strict=True):
        assert (id_ in taken) == (spent + cost <= budget)
        spent += cost if id_ in taken else 0
    assert spent <= budget
    assert taken == sorted(taken, key=ranking.index)
