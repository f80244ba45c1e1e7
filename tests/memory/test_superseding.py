"""The newest of what a speaker says comes first, and the older is marked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents import CompressiveMemory, Turn
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel

START = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = "I live in a flat by the Seine river.", "Now I live in a flat by the Spree."


class Topics(FakeModel):
    """Gists that say what a text is about: where somebody lives, or its words.

    Of two turns about a home the newer supersedes the older, unless it is a second home.
    """

    superseder: Any = True

    def _gist(self, text: str) -> NDArray[np.uint8]:
        home = any(word in text.casefold() for word in ("live", "home", "moved"))
        found = super()._gist("dwelling" if home else text)
        found[:2] = super()._gist(text)[:2]
        return found

    def supersedes(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        return np.array([-20.0 if "second" in newer else 0.0 for _, newer in pairs])


def remembered(
    open_memory: OpenMemory, *said: tuple[str, str], long: bool = False
) -> CompressiveMemory:
    memory = open_memory(model=Topics())
    more = " with one more word of a thousand" * 20 if long else ""
    memory.remember_many(
        Turn(
            role="user", name=name, text=text + more, session=str(n), time=START + timedelta(days=n)
        )
        for n, (name, text) in enumerate([*said, ("Ann", "A cold day."), ("Ann", "Tea, please.")])
    )
    return memory


def test_the_newer_is_first_and_the_older_is_marked(open_memory: OpenMemory) -> None:
    memory = remembered(open_memory, ("Ann", OLD), ("Ann", NEW))
    new, old = memory.recall("Do I live in a flat, by the river?", k=2)
    assert (new.text, old.text) == (NEW, OLD)
    assert (new.superseded_by, old.superseded_by) == (None, new.turn.id)
    assert new.score > old.score


def test_whoever_asks_for_the_past_gets_the_older_first(open_memory: OpenMemory) -> None:
    memory = remembered(open_memory, ("Ann", OLD), ("Ann", NEW))
    old, new = memory.recall("Which flat by the river did I live in before?", k=2)
    assert (old.text, new.text) == (OLD, NEW)
    assert old.superseded_by == new.turn.id


def test_what_is_not_returned_supersedes_nothing(open_memory: OpenMemory) -> None:
    memory = remembered(open_memory, ("Ann", OLD), ("Ann", NEW))
    hits = memory.recall("Where do I live?", until=START + timedelta(hours=1))
    assert [(hit.text, hit.superseded_by) for hit in hits] == [(OLD, None)]


def test_nobody_supersedes_another(open_memory: OpenMemory) -> None:
    memory = remembered(open_memory, ("Ann", OLD), ("Bob", NEW))
    assert not any(hit.superseded_by for hit in memory.recall("Where do you live by the river?"))


def test_long_turns_say_more_than_one_thing(open_memory: OpenMemory) -> None:
    memory = remembered(open_memory, ("Ann", OLD), ("Ann", NEW), long=True)
    assert not any(hit.superseded_by for hit in memory.recall("Where do I live by the river?"))


def test_what_holds_beside_it_supersedes_nothing(open_memory: OpenMemory) -> None:
    second = "I live in a second flat by the Spree in summer."
    memory = remembered(open_memory, ("Ann", OLD), ("Ann", second))
    hits = memory.recall("Do I live in a flat by the river Seine?", k=2)
    assert [(hit.text, hit.superseded_by) for hit in hits] == [(OLD, None), (second, None)]


def test_the_newest_of_three_comes_first(open_memory: OpenMemory) -> None:
    last = "I live in a flat by the Tiber."
    memory = remembered(open_memory, ("Ann", OLD), ("Ann", NEW), ("Ann", last))
    hits = memory.recall("Which flat by the river Seine do I live in?", k=3)
    assert hits[0].text == last
    marked = {hit.text: hit.superseded_by for hit in hits}
    assert marked[OLD] == marked[NEW] == hits[0].turn.id


def test_without_a_network_that_compares_nothing_is_superseded(open_memory: OpenMemory) -> None:
    class Plain(Topics):
        superseder: Any = None

    memory = open_memory(model=Plain())
    for day, text in enumerate((OLD, NEW)):
        memory.remember("user", text, name="Ann", time=START + timedelta(days=day))
    assert not any(hit.superseded_by for hit in memory.recall("Where do I live by the river?"))


def test_a_question_supersedes_nothing(open_memory: OpenMemory) -> None:
    asked = "Do I live in a flat by the Spree?"
    memory = remembered(open_memory, ("Ann", OLD), ("Ann", asked))
    assert not any(hit.superseded_by for hit in memory.recall("Where do I live by the river?"))


def test_the_least_score_is_that_of_the_turn_that_was_lifted(open_memory: OpenMemory) -> None:
    memory = remembered(open_memory, ("Ann", OLD), ("Ann", NEW))
    question = "Do I live in a flat by the river Seine?"
    every = memory.recall(question, k=9)
    for bar in (0.1, 0.3, 0.5, 0.7, 0.9):
        some = memory.recall(question, k=9, min_score=bar)
        assert [hit.turn.id for hit in some] == [h.turn.id for h in every if h.score >= bar]
