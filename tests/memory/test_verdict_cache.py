"""What was compared is not compared again, and no verdict outlives the turns that it is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from r3mem_agents import CompressiveMemory
from r3mem_agents.memory.text_cache import TEXT_CACHE
from r3mem_agents.memory.verdict_cache import VerdictCache
from r3mem_agents.model import MemoryTokens
from r3mem_agents.types import Recollections
from tests.conftest import OpenMemory
from tests.memory.fake_model import Superseding
from tests.memory.test_superseding import NEW, OLD, START, Topics

QUESTION = "Do I live in a flat by the river?"


class Counting(Topics):
    """Counts the pairs that it compares, and remembers their texts."""

    def __init__(self) -> None:
        super().__init__()
        self.compared: list[tuple[str, str]] = []

    def supersedes(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        self.compared += pairs
        return super().supersedes(pairs)


@pytest.fixture
def counting() -> Iterator[Counting]:
    TEXT_CACHE.clear()
    yield Counting()
    TEXT_CACHE.clear()


@pytest.fixture
def memory(open_memory: OpenMemory, counting: Counting) -> CompressiveMemory:
    opened = open_memory(model=counting)
    for day, text in enumerate((OLD, NEW)):
        time = START + timedelta(days=day)
        opened.remember("user", text, name="Ann", time=time, key=f"k{day}")
    return opened


def marked(hits: Recollections) -> dict[str, int | None]:
    return {hit.text: hit.superseded_by for hit in hits}


def test_a_pair_is_compared_once(memory: CompressiveMemory, counting: Counting) -> None:
    hits = memory.recall(QUESTION)
    assert marked(hits) == {OLD: 2, NEW: None}
    assert counting.compared == [(OLD, NEW)]
    assert memory.recall(QUESTION) == hits
    assert marked(memory.recall("Where do I live, by which river?")) == marked(hits)
    assert counting.compared == [(OLD, NEW)]


def test_an_edited_turn_is_compared_anew(
    memory: CompressiveMemory, open_memory: OpenMemory, counting: Counting
) -> None:
    memory.recall(QUESTION)
    second = "I live in a second flat by the Spree in summer."
    other = open_memory(model=counting)  # as another process would
    other.remember("user", second, name="Ann", time=START + timedelta(days=1), key="k1")
    assert marked(memory.recall(QUESTION)) == {OLD: None, second: None}
    assert counting.compared == [(OLD, NEW), (OLD, second)]


def test_nothing_is_kept_of_what_was_forgotten(
    memory: CompressiveMemory, counting: Counting
) -> None:
    memory.recall(QUESTION)
    memory.forget(turn_ids=[2])
    assert not TEXT_CACHE.verdicts._odds
    assert marked(memory.recall(QUESTION)) == {OLD: None}


def test_models_do_not_share_verdicts(tmp_path: Path, counting: Counting) -> None:
    class Never(Counting):
        def supersedes(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
            return np.full(len(pairs), -20.0)

    path, first, second = tmp_path / "memory.db", cast(Any, counting), cast(Any, Never())
    with CompressiveMemory(path, model=first) as memory:
        for day, text in enumerate((OLD, NEW)):
            memory.remember("user", text, name="Ann", time=START + timedelta(days=day))
        assert marked(memory.recall(QUESTION))[OLD] == 2
    with CompressiveMemory(path, model=second) as memory:
        assert marked(memory.recall(QUESTION))[OLD] is None


def test_so_many_pairs_are_kept_of_what_was_compared_last() -> None:
    model: Any = Superseding()
    kept = VerdictCache(max_pairs=8)
    tokens = [MemoryTokens(bytes([number]), b"") for number in range(100)]
    pairs = list(zip(tokens, tokens[1:], strict=False))
    kept.keep(model, pairs, range(len(pairs)))
    assert kept.known(model, pairs) == [None] * 91 + [*range(91, 99)]
    kept.known(model, pairs[91:92])  # asked for again
    kept.keep(model, pairs[:1], [0.0])
    assert kept.known(model, [pairs[0], pairs[91], pairs[92]]) == [0.0, 91, None]
    assert kept.known(model, [(newer, older) for older, newer in pairs]) == [None] * 99
    other: Any = Superseding()
    assert kept.known(other, pairs) == [None] * 99


def test_parts_of_tokens_are_not_mistaken_for_others() -> None:
    model: Any = Superseding()
    kept = VerdictCache()
    one, other = MemoryTokens(b"ab", b"c"), MemoryTokens(b"a", b"bc")
    kept.keep(model, [(one, one)], [1.0])
    assert kept.known(model, [(one, other), (other, one), (other, other)]) == [None] * 3


def test_many_threads_find_what_any_of_them_compared() -> None:
    model: Any = Superseding()
    kept = VerdictCache(max_pairs=64)
    tokens = [MemoryTokens(bytes([number]), b"") for number in range(100)]

    def work(first: int) -> None:
        for number in range(first, first + 50):
            pair = tokens[number % 100], tokens[(number + 1) % 100]
            kept.keep(model, [pair], [float(number % 100)])
            assert kept.known(model, [pair])[0] in (float(number % 100), None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(0, 400, 10)))
    assert len(kept._odds[model]) == 64
