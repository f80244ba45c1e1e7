"""R3Store does what LangGraph's stores do; most topics are those of its own tests of them."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchItem,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError
from r3mem_langchain import R3Store
from tests.langchain.items import names
from tests.langchain.models import calls, scripted
from tests.memory.fake_model import FakeModel

# Differential: what InMemoryStore does, whatever is asked.

LABELS = st.sampled_from(["users", "alice", "Alice", "*", "%", "_", "übung", "a b"])
NAMESPACES = st.lists(LABELS, max_size=3).map(tuple)
KEYS = st.sampled_from(["a", "b", "A", "k-1", "%", "*", "'; DROP TABLE turns; --", "x" * 300, ""])
NUMBERS = st.integers(-3, 3)  # no booleans: there, True is 1
SCALARS = st.none() | NUMBERS | st.sampled_from(["dog", "Dog", "2", ""])
FIELDS = st.sampled_from(["n", "user-name", "t.x", "名"])
VALUES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    FIELDS,
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(FIELDS, SCALARS, max_size=2),
    max_size=3,
)
SIGNS = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])
FILTERS = st.none() | st.dictionaries(
    FIELDS,
    SCALARS
    | st.lists(SCALARS, max_size=2)
    | st.dictionaries(FIELDS, SCALARS, max_size=2)
    | st.dictionaries(SIGNS, NUMBERS, min_size=1, max_size=2),
    max_size=2,
)
CONDITIONS = st.lists(
    st.builds(
        MatchCondition,
        match_type=st.sampled_from(["prefix", "suffix"]),
        path=st.lists(LABELS, min_size=1, max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)
GETS = st.builds(GetOp, NAMESPACES, KEYS)
PUTS = st.builds(
    PutOp,
    NAMESPACES,
    KEYS,
    st.none() | VALUES,
    st.none() | st.just(False) | st.just(["n", "user-name"]),
    st.none(),
)
SEARCHES = st.builds(
    SearchOp,
    NAMESPACES,
    FILTERS,
    limit=st.just(1000),
    offset=st.just(0),
    query=st.none() | st.sampled_from(["dog", "nothing of it"]),
)
LISTS = st.builds(
    ListNamespacesOp,
    CONDITIONS,
    st.none() | st.integers(1, 3),
    limit=st.sampled_from([1, 2, 1000]),
    offset=st.integers(0, 2),
)
BATCHES = st.lists(st.lists(PUTS | PUTS | GETS | SEARCHES | LISTS, max_size=4), max_size=6)


class Oracle:
    """InMemoryStore, without the empty namespaces that it keeps of whatever was asked for."""

    def __init__(self) -> None:
        self.store = InMemoryStore()

    def batch(self, ops: Sequence[Any]) -> list[Any]:
        results = [None if isinstance(op, PutOp) else self._read(op) for op in ops]
        self.store.batch([op for op in ops if isinstance(op, PutOp)])
        return results

    def _read(self, op: Any) -> Any:
        for namespace in list(self.store._data):
            if not self.store._data[namespace]:
                del self.store._data[namespace]
        try:
            return self.store.batch([op])[0]
        except (TypeError, ValueError) as error:
            return error  # it compares only numbers


def content(result: Any) -> Any:
    if isinstance(result, list) and result and isinstance(result[0], Item):
        return sorted((content(item) for item in result), key=repr)
    return (result.namespace, result.key, result.value) if isinstance(result, Item) else result


@given(batches=BATCHES)
@settings(max_examples=60)
def test_it_does_what_the_store_in_memory_does(batches: list[list[Any]]) -> None:
    fake: Any = FakeModel()
    oracle = Oracle()
    with CompressiveMemory(":memory:", model=fake) as memory:
        store = R3Store(memory)
        for batch in batches:
            for op, mine, theirs in zip(
                batch, store.batch(batch), oracle.batch(batch), strict=True
            ):
                if not isinstance(theirs, Exception):
                    assert content(mine) == content(theirs), op
        whole = store.search((), limit=1000)
        pages = [
            item for start in range(0, 9, 3) for item in store.search((), offset=start, limit=3)
        ]
        assert pages == whole[:9]
        assert names(whole) == names(sorted(whole, key=lambda item: item.updated_at, reverse=True))


# Topics of upstream's tests.


def test_items_have_times_and_are_copies(store: R3Store) -> None:
    namespace = ("users", "alice")
    value = {"list": [1], "text": "A dog."}
    store.put(namespace, "k", value)
    first = store.get(namespace, "k")
    assert first is not None
    assert first.created_at == first.updated_at
    first.value["list"].append(2)
    value["list"] = []
    store.put(namespace, "k", {"text": "A cat."})
    second = store.get(namespace, "k")
    assert second is not None
    assert second.value == {"text": "A cat."}
    assert second.created_at == first.created_at < second.updated_at
    store.delete(namespace, "k")
    store.delete(namespace, "k")
    assert store.get(namespace, "k") is None


def test_reads_of_a_batch_see_the_state_before_its_writes(store: R3Store) -> None:
    namespace = ("a",)
    ops: list[Op] = [
        PutOp(namespace, "k", {"n": 1}),
        GetOp(namespace, "k"),
        SearchOp(namespace),
        ListNamespacesOp(),
        PutOp(namespace, "k", {"n": 2}),
    ]
    assert store.batch(ops) == [None, None, [], [], None]
    found: list[Any] = store.batch(ops[1:4])
    assert found[0].value == {"n": 2}
    assert names(found[1]) == ["k"]
    assert found[2] == [namespace]


@pytest.mark.parametrize(
    "namespace", [(), ("a.b",), ("",), ("langgraph", "x"), (1,)], ids=lambda one: str(one)
)
def test_wrong_namespaces_are_refused(store: R3Store, namespace: Any) -> None:
    with pytest.raises(InvalidNamespaceError):
        store.put(namespace, "k", {})


def test_what_is_wrong_is_named_and_nothing_is_written(store: R3Store) -> None:
    good = PutOp(("a",), "good", {"n": 1})
    for value in ({"n": object()}, {"n": float("nan")}):
        with pytest.raises(InvalidInputError, match="JSON"):
            store.batch([good, PutOp(("a",), "bad", value)])
    with pytest.raises(InvalidInputError, match="surrogate"):
        store.batch([good, PutOp(("a",), "bad", {"n": "\ud800"}, index=False)])
    deep: Any = {}
    for _ in range(100):
        deep = {"n": deep}
    with pytest.raises(InvalidInputError, match="value is nested deeper"):
        store.batch([good, PutOp(("a",), "bad", deep)])
    assert store.search(()) == []
    store.put(("a",), "k", {"n": 1})
    with pytest.raises(InvalidInputError, match=r"\$like"):
        store.search(("a",), filter={"n": {"$like": 1}})
    for wrong in (float("nan"), 1e99, "soon"):
        with pytest.raises(InvalidInputError, match="ttl is"):
            store.put(("a",), "k", {}, ttl=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="offset is -1"):
        store.search(("a",), offset=-1)
    with pytest.raises(InvalidInputError, match="str is not an operation"):
        store.batch(["get"])  # type: ignore[list-item]


def test_filters_on_texts_and_missing_fields(store: R3Store) -> None:
    for key, value in {"a": {"n": 1, "s": "apple"}, "b": {"n": 10, "s": "pear"}, "c": {}}.items():
        store.put(("f",), key, value)
    for wanted, found in (
        ({"n": {"$gt": 1}}, ["b"]),
        ({"n": {"$gte": 1, "$lt": 10}}, ["a"]),
        ({"s": {"$gt": "b"}}, ["b"]),
        ({"s": {"$lte": 5}}, []),
        ({"n": {"$ne": 1}}, ["b", "c"]),
        ({"n": None}, ["c"]),
    ):
        assert sorted(names(store.search(("f",), filter=wanted))) == found


def test_a_search_says_what_is_relevant(store: R3Store) -> None:
    memories = {
        "dog": "Her dog is called Biscuit.",
        "trip": "She drives to Lisbon on Friday.",
        "food": "She likes pears.",
    }
    for key, text in memories.items():
        store.put(("users", "alice"), key, {"text": text, "kind": key[0]})
    store.put(("users", "bob"), "dog", {"text": "His dog is called Rex.", "kind": "d"})
    found = store.search(("users", "alice"), query="What is the dog called?")
    assert found[0].key == "dog"
    assert found[0].score is not None
    assert sorted(names(found)) == sorted(memories)
    scores = [item.score for item in found if item.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert found[-1].score == 0
    assert {item.namespace[1] for item in store.search(("users",), query="dog", limit=2)} == {
        "alice",
        "bob",
    }
    assert names(store.search(("users",), query="dog", filter={"kind": "t"})) == ["trip"]
    pages = [store.search(("users",), query="dog", limit=1, offset=page) for page in range(5)]
    assert sum(pages, []) == store.search(("users",), query="dog")


def test_what_is_searched_can_be_chosen(store: R3Store) -> None:
    secret = {"text": "Nothing.", "notes": [{"a": "zebra"}, {"a": "lion"}]}
    store.put(("i",), "hidden", secret, index=False)
    store.put(("i",), "text", secret, index=["text"])
    store.put(("i",), "notes", secret, index=["notes[*].a"])
    scored = [item.key for item in store.search(("i",), query="zebra") if item.score is not None]
    assert scored[0] == "notes"
    assert "hidden" not in scored
    chosen = R3Store(store.memory, fields=["text"])
    chosen.put(("i",), "k", secret)
    item = chosen.get(("i",), "k")
    assert item is not None
    assert item.value == secret


def test_what_was_put_is_found_at_once_and_what_was_deleted_no_more(store: R3Store) -> None:
    for number in range(3):
        store.put(("v",), "k", {"text": f"Version {number} of the zebra."})
        [found] = store.search(("v",), query="zebra")
        assert found.value == {"text": f"Version {number} of the zebra."}
    store.delete(("v",), "k")
    assert store.search(("v",), query="zebra") == []
    assert store.list_namespaces() == []


async def test_async_threads_and_tasks(store: R3Store) -> None:
    namespace = ("n",)
    await asyncio.gather(*(store.aput(namespace, str(n), {"n": n}) for n in range(10)))
    found = await asyncio.gather(*(store.aget(namespace, str(n)) for n in range(10)))
    assert [item.value["n"] for item in found if item] == list(range(10))
    assert len(store.search(namespace, limit=20)) == 10  # a sync call from the loop's own thread
    task = asyncio.create_task(store.aput(namespace, "late", {}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.adelete(namespace, "0")
    assert await store.aget(namespace, "0") is None
    assert (await store.asearch(namespace, filter={"n": 3}))[0].key == "3"
    assert await store.alist_namespaces() == [namespace]
    assert await store.asweep_ttl() == 0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.put(namespace, "same", {"n": n}), range(12)))
        list(pool.map(lambda n: store.delete(namespace, "same"), range(4)))
    assert store.get(namespace, "same") is None


def test_it_is_apart_from_what_is_said(store: R3Store) -> None:
    said = store.memory.scoped(agent="default")
    said.remember("user", "A zebra.", session='["z"]')
    store.put(("z",), "k", {"text": "A zebra."})
    assert len(said.recall("zebra")) == 1
    assert names(store.search((), query="zebra")) == ["k"]
    other = R3Store(said.scoped(user="bob"))
    assert other.search(()) == []


def test_copies_and_pickles(tmp_path: Path, model: Any) -> None:
    model.save_pretrained(tmp_path / "model")
    with CompressiveMemory(tmp_path / "m.db", model=tmp_path / "model") as memory:
        store = R3Store(memory, ttl={"default_ttl": 5})
        store.put(("a",), "k", {"n": 1})
        again = pickle.loads(pickle.dumps(store))
        for other in (copy.deepcopy(store), again):
            assert other.get(("a",), "k") == store.get(("a",), "k") is not None
            assert other.ttl_config == {"default_ttl": 5}
        again.memory.close()
        again._expiries._memory.close()


@tool
def note(text: str, runtime: ToolRuntime[Any, Any]) -> str:
    """Keep a note."""
    assert runtime.store is not None
    runtime.store.put(("notes", "alice"), "note", {"text": text})
    return "Kept."


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_tools_of_an_agent_use_it(store: R3Store, mode: str) -> None:
    model = scripted(calls("note", "c", text="A zebra."), "Done.")
    agent: Any = create_agent(model, [note], store=store)
    given = {"messages": [HumanMessage("Go.")]}
    await agent.ainvoke(given) if mode == "async" else agent.invoke(given)
    [found] = store.search(("notes",), query="zebra")
    assert isinstance(found, SearchItem)
    assert found.value == {"text": "A zebra."}
