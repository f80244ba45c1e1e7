"""How long items live, and that nothing is left of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_langchain import R3Store
from tests.conftest import OpenMemory
from tests.langchain.items import names
from tests.memory.fake_model import FakeModel


class Clock(datetime):
    """Stands still until it is told to go on."""

    minutes = 0.0

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=cls.minutes)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr("r3mem_langchain.store.datetime", Clock)
    monkeypatch.setattr(Clock, "minutes", 0.0)
    return Clock


def test_items_expire_unless_they_are_read(store: R3Store, clock: type[Clock]) -> None:
    for key in ("read", "searched", "peeked", "left", "renewed"):
        store.put(("t",), key, {"text": key}, ttl=10)
    store.put(("t",), "stays", {"text": "stays"})
    clock.minutes = 8
    assert store.get(("t",), "read") is not None
    assert names(store.search(("t",), filter={"text": "searched"})) == ["searched"]
    assert store.get(("t",), "peeked", refresh_ttl=False) is not None
    store.put(("t",), "renewed", {"text": "renewed"}, ttl=20)
    clock.minutes = 15
    left = ["read", "renewed", "searched", "stays"]
    assert sorted(names(store.search(("t",), refresh_ttl=False))) == left
    assert sorted(names(store.search(("t",), query="left", refresh_ttl=False))) == left
    assert store.get(("t",), "left") is None
    assert store.sweep_ttl() == 2
    assert len(store.memory.history()) == 4
    clock.minutes = 100
    assert names(store.search(())) == ["stays"]
    assert store.sweep_ttl() == 3
    assert store.sweep_ttl() == 0


def test_an_item_that_expired_begins_anew(store: R3Store, clock: type[Clock]) -> None:
    store.put(("t",), "k", {"n": 1}, ttl=1)
    store.get(("t",), "k")
    clock.minutes = 5
    store.put(("t",), "k", {"n": 2})
    item = store.get(("t",), "k")
    assert item is not None
    assert item.created_at == Clock.now()
    clock.minutes = 500
    assert store.get(("t",), "k") is not None


def test_no_trace_of_an_item_is_left(
    open_memory: OpenMemory, tmp_path: Path, clock: type[Clock]
) -> None:
    memory = open_memory()
    store = R3Store(memory)
    store.put(("t",), "k", {"text": "zebra"}, ttl=10)
    clock.minutes = 1
    store.get(("t",), "k")
    store.delete(("t",), "k")
    assert memory.scoped(agent="langgraph expiries of default").history() == []
    assert store.memory.history() == []


def test_a_configuration_counts(clock: type[Clock]) -> None:
    fake: Any = FakeModel()
    with CompressiveMemory(":memory:", model=fake) as memory:
        store = R3Store(
            memory,
            ttl={
                "default_ttl": 10,
                "refresh_on_read": False,
                "omit_expired": True,
                "sweep_interval_minutes": 60,
            },
        )
        store.put(("t",), "k", {})
        store.put(("u",), "k", {}, ttl=None)
        clock.minutes = 5
        assert store.get(("t",), "k") is not None
        assert store.list_namespaces() == [("t",), ("u",)]
        clock.minutes = 11
        assert store.get(("t",), "k") is None
        assert store.list_namespaces() == [("u",)]
        store.put(("t",), "k", {})
        clock.minutes = 90
        store.get(("u",), "k")
        assert len(store.memory.history()) == 1
