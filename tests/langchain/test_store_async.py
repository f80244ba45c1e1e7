"""R3Store under asyncio: what tasks ask for at the same time is done at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.base import GetOp, Op, PutOp, SearchOp

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, StoreUnavailableError
from r3mem_agents.store import sqlite
from r3mem_langchain import R3Store
from tests.langchain.items import names
from tests.memory.fake_model import FakeModel

NAMESPACE = ("n",)


class Counted(R3Store):
    """Counts its batches, and what they write to the file."""

    def __init__(self, memory: CompressiveMemory) -> None:
        super().__init__(memory)
        self.batches: list[list[Op]] = []
        self.writes: list[tuple[int, int]] = []
        remember_many: Any = self.memory.remember_many

        def counted(turns: Any, *, replace: bool = False, forget: Any = ()) -> Any:
            self.writes.append((len(turns), len(forget)))
            return remember_many(turns, replace=replace, forget=forget)

        self.memory.remember_many = counted  # type: ignore[method-assign]

    def batch(self, ops: Any) -> Any:
        self.batches.append(list(ops))
        return super().batch(ops)


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    fake: Any = FakeModel()
    with CompressiveMemory(tmp_path / "memory.db", model=fake) as memory:
        yield Counted(memory)


async def test_what_is_asked_in_one_tick_is_one_batch_and_one_transaction(counted: Counted) -> None:
    await counted.aput(NAMESPACE, "old", {"n": 0})
    results: list[Any] = await asyncio.gather(
        counted.aput(NAMESPACE, "new", {"n": 1}),
        counted.aget(NAMESPACE, "old"),
        counted.aput(NAMESPACE, "new", {"n": 2}),
        counted.adelete(NAMESPACE, "old"),
        counted.asearch(NAMESPACE),
        counted.aget(NAMESPACE, "new"),
        counted.abatch([PutOp(NAMESPACE, "more", {}), GetOp(NAMESPACE, "old")]),
        counted.adelete(NAMESPACE, "nothing"),
    )
    old = results[1]
    assert old is not None and old.value == {"n": 0}
    assert names(results[4]) == ["old"]
    assert results[5] is None
    assert results[6][0] is None and results[6][1].key == "old"
    assert [len(batch) for batch in counted.batches] == [1, 9]
    assert counted.writes == [(1, 0), (2, 1)]
    assert names(await counted.asearch(NAMESPACE)) == ["more", "new"]


@pytest.mark.parametrize("last", ["put", "delete"])
async def test_of_several_writes_of_a_key_the_last_one_counts(counted: Counted, last: str) -> None:
    writes = []
    for number in range(20):
        writes += [counted.adelete(NAMESPACE, "k"), counted.aput(NAMESPACE, "k", {"n": number})]
    if last == "delete":
        writes.append(counted.adelete(NAMESPACE, "k"))
    await asyncio.gather(*writes)
    item = await counted.aget(NAMESPACE, "k")
    assert (item and item.value) == (None if last == "delete" else {"n": 19})
    assert sum(new for new, _ in counted.writes) == (last == "put")


async def test_large_batches(counted: Counted) -> None:
    # The shape of upstream's own test of its stores.
    asked: list[Any] = []
    for number in range(1000):
        place = ("test", "foo", "bar", "baz", str(number // 100 % 2)), f"key{number % 100}"
        asked += [
            counted.aput(*place, value={"foo": f"bar{number % 100}"}),
            asyncio.create_task(counted.aget(*place)),
            asyncio.create_task(counted.alist_namespaces(max_depth=number // 100 + 1)),
            asyncio.create_task(counted.asearch(("test",))),
            counted.aput(*place, value={"foo": f"bar{number % 100}"}),
            counted.adelete(*place),
        ]
    results = await asyncio.gather(*asked)
    assert len(results) == 6000
    assert await counted.asearch(()) == []
    assert len(counted.batches) <= 3


async def test_a_fault_of_one_task_is_nobody_elses(counted: Counted) -> None:
    wrong: Any = {"n": object()}
    asked: list[Any] = [
        counted.aput(NAMESPACE, str(n), {"n": n} if n % 7 else wrong) for n in range(20)
    ]
    asked.append(counted.aget(NAMESPACE, "1"))
    results = await asyncio.gather(*asked, return_exceptions=True)
    for number, result in enumerate(results[:20]):
        assert isinstance(result, InvalidInputError) == (number % 7 == 0)
    found = await counted.asearch(NAMESPACE, limit=50)
    assert sorted(item.value["n"] for item in found) == [n for n in range(20) if n % 7]


async def test_a_store_that_fails_fails_everybody(counted: Counted) -> None:
    counted.memory._handle.store.close()
    results = await asyncio.gather(
        *(counted.aput(NAMESPACE, str(n), {}) for n in range(3)), return_exceptions=True
    )
    assert all(isinstance(one, StoreUnavailableError) for one in results)
    assert len(counted.batches) == 1


async def test_what_is_asked_while_a_batch_runs_is_the_next_batch(counted: Counted) -> None:
    entered, go_on = threading.Event(), threading.Event()
    batch = super(Counted, counted).batch

    def slow(ops: Any) -> Any:
        counted.batches.append(list(ops))
        entered.set()
        go_on.wait()
        return batch(ops)

    counted.batch = slow  # type: ignore[method-assign]
    first = asyncio.create_task(counted.aput(NAMESPACE, "k", {"n": 1}))
    await asyncio.to_thread(entered.wait)
    later = [asyncio.create_task(counted.aput(NAMESPACE, "k", {"n": n})) for n in (2, 3)]
    gone = asyncio.create_task(counted.aput(NAMESPACE, "gone", {}))
    await asyncio.sleep(0)
    gone.cancel()
    first.cancel()  # too late: it is being written
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*later)
    assert [len(one) for one in counted.batches] == [1, 2]
    assert names(await counted.asearch(())) == ["k"]
    with pytest.raises(asyncio.CancelledError):
        await first


def test_every_event_loop_has_batches_of_its_own(counted: Counted) -> None:
    async def put(thread: int) -> None:
        for number in range(5):
            await asyncio.gather(
                *(counted.aput((f"t{thread}",), f"{number} {n}", {"n": n}) for n in range(3))
            )

    threads = [threading.Thread(target=lambda n=n: asyncio.run(put(n))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(put(4))
    assert len(counted.search((), limit=100)) == 75


async def test_tasks_that_wait_are_let_go_when_all_are_cancelled(counted: Counted) -> None:
    asked = asyncio.create_task(counted.aput(NAMESPACE, "k", {}))
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if task is not asked:
            task.cancel()  # the one that was to do it
    with pytest.raises(asyncio.CancelledError):
        await asked
    await counted.aput(NAMESPACE, "after", {})
    assert names(await counted.asearch(())) == ["after"]


async def test_deletes_do_not_rewrite_the_file_each_but_it_is_before_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubbed: list[bool] = []
    scrub = sqlite.scrub

    def counted(engine: Any) -> bool:
        scrubbed.append(scrub(engine))
        return scrubbed[-1]

    monkeypatch.setattr(sqlite, "scrub", counted)
    fake: Any = FakeModel()
    with CompressiveMemory(tmp_path / "memory.db", model=fake) as memory:
        store = R3Store(memory)
        for number in range(10):
            await store.aput(NAMESPACE, str(number), {"n": number}, ttl=60)
            await store.adelete(NAMESPACE, str(number))
        assert await store.asearch(()) == []
        assert scrubbed == []
    assert scrubbed == [True]


def test_the_same_search_twice_in_a_batch_gives_copies(counted: Counted) -> None:
    counted.put(NAMESPACE, "k", {"list": [1]})
    searches: list[Op] = [SearchOp(NAMESPACE), SearchOp(NAMESPACE)]
    one, other = counted.batch(searches)
    one[0].value["list"].append(2)
    assert other[0].value == {"list": [1]}


def test_a_filter_that_nothing_passes_reads_no_item_twice(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    puts: list[Op] = [PutOp((f"u{n % 50}",), str(n), {"n": n}) for n in range(500)]
    counted.batch(puts)
    monkeypatch.setattr(counted.memory, "fetch", None)  # which it would read them by
    assert counted.search((), filter={"n": -1}) == []
    assert names(counted.search(("u7",), filter={"n": {"$lt": 100}})) == ["57", "7"]
