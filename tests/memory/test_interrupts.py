"""An interrupt at any moment of a lookup or a write leaves nothing half done behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.lookup.index import Growing, Index
from r3mem_agents.memory import text_cache
from r3mem_agents.memory.text_cache import TEXT_CACHE, TextCache
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel


class Interrupted:
    """A method that is interrupted once, before or after it has done its work."""

    def __init__(self, method: Any, call: int, after: bool) -> None:
        self.method, self.call, self.after = method, call, after

    def __get__(self, owner: Any, _: type) -> Any:
        return lambda *arguments: self.run(owner, *arguments)

    def run(self, *arguments: Any) -> Any:
        self.call -= 1
        if self.call == -1 and not self.after:
            raise KeyboardInterrupt
        result = self.method(*arguments)
        if self.call == -1:
            raise KeyboardInterrupt
        return result


@pytest.fixture
def memory(open_memory: OpenMemory) -> Iterator[CompressiveMemory]:
    TEXT_CACHE.clear()
    memory = open_memory(model=FakeModel())
    memory.remember_many([Turn(role="user", text=f"The cat number {n} sat.") for n in range(5)])
    assert len(memory.recall("cat", k=9)) == 5
    yield memory
    TEXT_CACHE.clear()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("owner", "name", "calls"),
    [
        (Growing, "extend", range(11)),  # every array of an index
        (Index, "add", range(1)),
        (Index, "snapshot", range(1)),
        (Index, "_before", range(1)),
    ],
)
def test_an_interrupted_index_is_made_anew(
    memory: CompressiveMemory,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    calls: range,
    after: bool,
) -> None:
    for number, call in enumerate(calls, 6):
        memory.remember("user", f"The cat number {number} sat.")
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(owner, name, Interrupted(vars(owner)[name], call, after))
            memory.recall("cat", k=99)
        hits = memory.recall("cat", k=99)
        assert len(hits) == len(memory.history()) == number
        assert {hit.text for hit in hits} == {turn.text for turn in memory.history()}


def test_an_interrupted_lookup_gives_its_connection_back(
    memory: CompressiveMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.remember("user", "The cat again.")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as caught:
        patch.setattr(Index, "add", Interrupted(Index.add, 0, False))
        memory.recall("cat")
    assert caught.tb is not None  # which still holds the frames of the call
    assert memory.forget(everything=True)  # which fails where somebody still reads


def test_an_interrupt_between_keeping_and_counting_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model: Any = FakeModel()
    kept = TextCache(max_bytes=2_000)
    texts = [f"Turn {number}." for number in range(100)]
    for place in (0, 1, 7, 40):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            counted = Interrupted(text_cache._bytes, place, True)
            patch.setattr(text_cache, "_bytes", counted.run)
            kept.keep(model, model.compress(texts), texts)
        assert kept.expand(model, model.compress(texts)) == texts
        assert 0 < kept._bytes <= 2_000
