"""What a search of R3Store finds, with which scores, and what it refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.store.base import ListNamespacesOp, MatchCondition, Op, PutOp, SearchOp

from r3mem_agents.conditions import check_conditions, passes
from r3mem_agents.errors import InvalidInputError
from r3mem_langchain import R3Store
from tests.langchain.items import names

FACTS = {
    "graz": "She owns a house in Graz.",
    "dog": "Her dog is called Biscuit.",
    "bank": "She works at a bank.",
    "password": "The password rotates monthly.",
    "vet": "She took the dog to the vet in March.",
    "jazz": "She likes jazz records.",
}


def fill(store: R3Store) -> None:
    for key, text in FACTS.items():
        store.put(("m",), key, {"text": text})


def test_items_put_beside_a_hit_do_not_rank_as_if_they_were_related(store: R3Store) -> None:
    fill(store)
    found = store.search(("m",), query="What is the dog called?")
    assert names(found)[:2] == ["dog", "vet"]
    assert [item.score for item in found[2:]] == [0.0] * 4
    assert names(found)[2:] == ["jazz", "password", "bank", "graz"]  # what was put last is first


def test_items_that_match_equally_well_have_equal_scores(store: R3Store) -> None:
    for number in range(9):
        store.put(("m",), str(number), {"text": "zebra" if number % 4 == 0 else f"lion {number}"})
    found = store.search(("m",), query="zebra")
    first = [item.score for item in found[:3]]
    assert first == [first[0]] * 3
    assert first[0] is not None and first[0] > 0
    assert {item.score for item in found[3:]} == {0.0}


@pytest.mark.parametrize("query", ["zebra", "nothing of it", "yesterday", "What happened today?"])
def test_only_what_is_not_indexed_has_no_score(store: R3Store, query: str) -> None:
    value = {"text": "A zebra."}
    store.put(("m",), "hidden", value, index=False)
    store.put(("m",), "whole", value)
    store.put(("m",), "path", value, index=["text"])
    store.put(("m",), "no such path", value, index=["other"])
    store.put(("m",), "nothing", {})
    found = store.search(("m",), query=query)
    assert len(found) == 5
    assert all(item.score is not None and item.score > -0.1 for item in found[:4])
    assert (found[4].key, found[4].score) == ("hidden", None)
    assert all(item.score is None for item in store.search(("m",)))
    pages = [store.search(("m",), query=query, limit=2, offset=at) for at in (0, 2, 4)]
    assert names(sum(pages, [])) == names(found)


def test_dots_lead_into_a_value(store: R3Store) -> None:
    values: dict[str, dict[str, Any]] = {
        "nested": {"user": {"access-level": "a", "b": {"c.d": 1}}},
        "plain": {"user.access-level": "a", "user": {"access-level": "b"}},
        "text": {"user": "access-level"},
        "null": {"user": {"access-level": None}},
    }
    for key, value in values.items():
        store.put(("m",), key, value)
    for wanted, found in (
        ({"user.access-level": "a"}, ["nested", "plain"]),
        ({"user.access-level": "b"}, []),
        ({"user.b.c.d": 1}, ["nested"]),
        ({"user.b": {"c.d": {"$gte": 1}}}, ["nested"]),
        ({"user.access-level": None}, ["null", "text"]),
        ({"user.access-level": {"$ne": "a"}}, ["null", "text"]),
        ({".": None}, ["nested", "null", "plain", "text"]),
    ):
        assert sorted(names(store.search(("m",), filter=wanted))) == found, wanted


@pytest.mark.parametrize("number", [2**53, 2**63, 10**30, -(2**53) - 2])
def test_whole_numbers_are_compared_as_such(store: R3Store, number: int) -> None:
    for delta in (-1, 0, 1):
        store.put(("m",), str(delta), {"n": number + delta, "s": str(number + delta)})
    for field in ("n", "s"):
        for wanted, found in (
            ({"$gt": number}, ["1"]),
            ({"$gte": number}, ["0", "1"]),
            ({"$lt": number}, ["-1"]),
            ({"$lte": str(number)}, ["-1", "0"]),
        ):
            assert sorted(names(store.search(("m",), filter={field: wanted}))) == found, wanted
    assert names(store.search(("m",), filter={"n": number})) == ["0"]


def test_true_is_not_one(store: R3Store) -> None:
    values: dict[str, Any] = {
        "true": True, "one": 1, "float": 1.0, "list": [True], "ones": [1], "dict": {"a": [True]},
        "false": False, "zero": 0,
    }  # fmt: skip
    for key, value in values.items():
        store.put(("m",), key, {"x": value})
    for wanted, found in (
        (True, ["true"]),
        (1, ["float", "one"]),
        (False, ["false"]),
        (0, ["zero"]),
        ([1], ["ones"]),
        ({"$eq": [True]}, ["list"]),
        ({"$eq": {"a": [True]}}, ["dict"]),
        ({"$eq": {"a": [1]}}, []),
        ({"$gte": 1}, ["float", "one"]),
        ({"$lt": 1}, ["zero"]),
        ({"$ne": True}, sorted(set(values) - {"true"})),
    ):
        assert sorted(names(store.search(("m",), filter={"x": wanted}))) == found, wanted


DEEP: dict[str, Any] = {}
for _ in range(5000):
    DEEP = {"n": DEEP}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"$or": [{"n": 1}, {"n": 2}]}, r"has '\$or' where a key"),
        ({"$gt": 1}, r"has '\$gt' where a key"),
        ({"n": 1, "$and": []}, r"'\$and'"),
        ({"n": {"$in": [1]}}, r"'\$in'; there are \$eq"),
        ({"n": {"$gt": 1, "m": 2}}, "'m'; there are"),
        ({"a": {"b": {"$like": "x"}}}, r"\$like"),
        ({"a": [{"$like": "x"}]}, r"\$like"),
        ({"n": {"$gt": None}}, r"\$gt compares with a number or a str, not None"),
        ({"n": {"$lte": True}}, "not True"),
        ({"n": {"$lt": [1]}}, r"not \[1\]"),
        ({1: 2}, "key 1; keys are str"),
        ("n", "the filter must be a dict, not str"),
        ({"n": {1, 2}}, "the filter must be what JSON can hold"),
        ({"n": {"$ne": datetime(2026, 5, 1)}}, "the filter must be what JSON can hold"),
        ({"n": float("nan")}, "the filter must be what JSON can hold"),
        (DEEP, "the filter is nested deeper than"),
    ],
)
@pytest.mark.parametrize("filled", [False, True])
def test_filters_that_nothing_could_pass_are_refused(
    store: R3Store, wanted: Any, message: str, filled: bool
) -> None:
    if filled:
        fill(store)
    for query in (None, "dog"):
        with pytest.raises(InvalidInputError, match=message):
            store.search(("m",), filter=wanted, query=query)


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (SearchOp("users"), "namespace_prefix is 'users'; give a tuple"),  # type: ignore[arg-type]
        (SearchOp((1,)), "label 1; labels are str"),  # type: ignore[arg-type]
        (SearchOp((), limit=-1), "limit is -1"),
        (SearchOp((), limit=None), "limit must be an int"),  # type: ignore[arg-type]
        (SearchOp((), offset="1"), "offset must be an int"),  # type: ignore[arg-type]
        (ListNamespacesOp(limit=-1), "limit is -1"),
        (ListNamespacesOp(offset=1.5), "offset must be an int"),  # type: ignore[arg-type]
        (ListNamespacesOp(max_depth="2"), "max_depth must be an int"),  # type: ignore[arg-type]
        (ListNamespacesOp(max_depth=0), "max_depth is 0"),
        (ListNamespacesOp((MatchCondition("infix", ("a",)),)), "not 'infix'"),  # type: ignore[arg-type]
        (PutOp(("a",), "k", {}, index="text"), r"index is 'text'; give a list"),  # type: ignore[arg-type]
        (PutOp(("a",), "k", {"a": {1: 2, "1": 3}}), "has the key 1; keys are str"),
        (PutOp(("a",), "k", [("a", 1)]), "a dict, not list"),  # type: ignore[arg-type]
        (PutOp(("a",), 5, {}), "key of an item is 5"),  # type: ignore[arg-type]
        (PutOp(("a",), "\ud800", {}), "key of an item cannot be stored"),
    ],
)
def test_operations_that_would_do_something_else_are_refused(
    store: R3Store, op: Op, message: str
) -> None:
    good = PutOp(("a",), "good", {"n": 1})
    with pytest.raises(InvalidInputError, match=message):
        store.batch([good, op])
    assert store.search(()) == []


def test_fields_are_a_list_of_paths(store: R3Store) -> None:
    with pytest.raises(InvalidInputError, match="fields is 'text'"):
        R3Store(store.memory, fields="text")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=st.dictionaries(st.text().filter(lambda key: not key.startswith("$")), JSON))
def test_every_value_is_equal_to_itself(value: dict[str, Any]) -> None:
    for key, inner in value.items():
        wanted = {key: {"$eq": inner}}
        check_conditions(wanted, "the filter")
        assert passes(value, wanted)
        assert not passes(value, {key: {"$ne": inner}})
