"""Texts at hand are not expanded again, and none is at hand that a store does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.memory.text_cache import TEXT_CACHE, TextCache
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel, FakeTokens


class CountingModel(FakeModel):
    def __init__(self, fingerprint: str = "0123456789abcdef") -> None:
        super().__init__(fingerprint)
        self.expanded = 0

    def expand(self, tokens: Sequence[FakeTokens]) -> list[str]:
        self.expanded += len(tokens)
        return super().expand(tokens)


@pytest.fixture
def counting() -> Iterator[Any]:
    TEXT_CACHE.clear()
    yield CountingModel()
    TEXT_CACHE.clear()


def test_what_was_stored_or_read_is_at_hand(open_memory: OpenMemory, counting: Any) -> None:
    memory = open_memory(model=counting)
    dog = memory.remember("user", "My dog is called Biscuit.")
    assert memory.recall("dog")[0].text == dog.text
    assert memory.fetch(turn_ids=[1]) == [dog]
    assert counting.expanded == 1  # when it was tried out before it was written
    TEXT_CACHE.clear()  # as in another process
    assert memory.fetch(turn_ids=[1]) == memory.scoped(session="s").fetch(turn_ids=[1]) == [dog]
    assert memory.context("dog").count("Biscuit") == 1
    assert counting.expanded == 2


def test_a_history_is_always_expanded(open_memory: OpenMemory, counting: Any) -> None:
    memory = open_memory(model=counting)
    turn = memory.remember("user", "My dog is called Biscuit.")
    counting.expanded = 0
    assert memory.history() == memory.history() == [turn]
    assert counting.expanded == 2


def test_a_write_that_fails_leaves_nothing(
    open_memory: OpenMemory, counting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = open_memory(model=counting)

    def full(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(memory._handle.store, "add", full)
    with pytest.raises(OSError, match="full"):
        memory.remember("user", "My dog is called Biscuit.")
    assert not TEXT_CACHE._texts


def test_what_was_forgotten_is_not_kept(open_memory: OpenMemory, counting: Any) -> None:
    memory = open_memory(model=counting)
    memory.remember("user", "My dog is called Biscuit.")
    cat = memory.remember("user", "My cat is called Tom.")
    memory.forget(turn_ids=[1])
    assert not TEXT_CACHE._texts
    assert memory.fetch(turn_ids=[1, 2]) == [cat]
    assert list(TEXT_CACHE._texts.values()) == [cat.text]


def test_so_many_bytes_are_kept_of_what_was_read_last() -> None:
    model: Any = CountingModel()
    kept = TextCache(max_bytes=3_000)
    texts = [f"Turn {number}." for number in range(100)]
    tokens = model.compress(texts)
    assert kept.expand(model, tokens) == texts
    assert 0 < len(kept._texts) < 100
    assert list(kept._texts.values()) == texts[-len(kept._texts) :]
    assert kept._bytes <= 3_000
    first, second = list(kept._texts.values())[:2]
    before = model.expanded
    assert kept.expand(model, model.compress([first])) == [first]
    assert model.expanded == before
    kept.expand(model, model.compress(["Another one, as long as two of them together."]))
    assert first in kept._texts.values()
    assert second not in kept._texts.values()


def test_models_do_not_share_texts(tmp_path: Any, counting: Any) -> None:
    other: Any = CountingModel("fedcba9876543210")
    for name, model in (("a.db", counting), ("b.db", other)):
        with CompressiveMemory(tmp_path / name, model=model) as memory:
            memory.remember("user", "Hi.")
    assert len(TEXT_CACHE._texts) == 2
