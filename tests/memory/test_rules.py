"""Terms that other rules made are made anew before a question, or a turn, relies on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import Stemmer

from r3mem_agents import CompressiveMemory
from r3mem_agents.analysis import rules as of_rules
from r3mem_agents.analysis import stems as of_stems
from tests.memory.fake_model import FakeModel
from tests.memory.worth import log_odds

FACTS = (
    "We meet in the evening.",
    "Dial 112 in an emergency.",
    "The organization is in Oslo.",
    "Buy a paste for the tiles.",
    "The interval is an hour.",
)


def other_stem(word: str, language: str) -> str:
    """Stems as no version of Snowball does."""
    return word[::-1]


@contextmanager
def other_release(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another release of the stemmer is installed."""
    with monkeypatch.context() as patch:
        patch.setattr(of_rules, "version", lambda _: "2.2.0.3")
        patch.setattr(of_stems, "_snowball", other_stem)
        of_rules.rules.cache_clear()
        yield
    of_rules.rules.cache_clear()


def opened(path: Path) -> CompressiveMemory:
    fake: Any = FakeModel()
    return CompressiveMemory(path, model=fake)


def found(memory: CompressiveMemory) -> list[str]:
    """What is first for the word that each fact is about, by words alone."""
    questions = ("evening", "emergency", "organization", "paste", "interval")
    hits = [memory.recall(question, k=1, explain=True) for question in questions]
    return [hit.text for some in hits for hit in some if log_odds(hit)["words"]]


def test_words_are_found_after_the_stemmer_was_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other_release(monkeypatch), opened(path) as memory:
        for fact in FACTS:
            memory.remember("user", fact)
        assert found(memory) == [*FACTS]
    with opened(path) as memory:
        assert found(memory) == [*FACTS]
        assert memory.verify().ok
        ids = memory.turn_ids()
    with opened(path) as memory:
        assert memory.turn_ids() == ids
        assert found(memory) == [*FACTS]


def test_each_user_has_terms_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with other_release(monkeypatch), opened(path) as memory:
        for user in ("ann", "bob"):
            memory.scoped(user=user).remember("user", f"{user} swims in the evening.")
    with opened(path) as memory:
        assert memory.verify().ok
        for user in ("ann", "bob"):
            hits = memory.scoped(user=user).recall("evenings", explain=True)
            assert [hit.text for hit in hits] == [f"{user} swims in the evening."]
            assert log_odds(hits[0])["words"] > 0


def test_a_turn_is_not_written_beside_terms_of_other_rules(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other_release(monkeypatch), opened(path) as memory:
        for fact in FACTS[:3]:
            memory.remember("user", fact)
    with opened(path) as memory:
        for fact in FACTS[3:]:
            memory.remember("user", fact, key=fact)
        assert found(memory) == [*FACTS]
        assert memory.verify().ok


def test_programs_with_other_rules_find_what_each_other_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other_release(monkeypatch):
        older = opened(path)
        older.remember("user", FACTS[0])
    with opened(path) as newer:
        newer.remember("user", FACTS[1])
        assert found(newer) == [*FACTS[:2]]
        with other_release(monkeypatch):
            assert found(older) == [*FACTS[:2]]
            older.remember("user", FACTS[2])
        assert found(newer) == [*FACTS[:3]]
    older.close()


def test_the_digest_shows_the_release_and_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = of_rules.rules()
    with other_release(monkeypatch):
        assert of_rules.rules() != mine
    with monkeypatch.context() as patch:
        porter = Stemmer.Stemmer("porter")
        patch.setattr(of_stems, "_snowball", lambda word, language: porter.stemWord(word))
        of_rules.rules.cache_clear()
        assert of_rules.rules() != mine
    of_rules.rules.cache_clear()
    assert of_rules.rules() == mine
