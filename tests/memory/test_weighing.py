"""Rankings under other weights: what ablations and the fitting of weights stand on."""

from __future__ import annotations

import numpy as np
import pytest

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.lookup.index import Snapshot
from r3mem_agents.lookup.weights import LEVELS, WEIGHTS
from r3mem_agents.memory.weighing import rank_with
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel
from tests.memory.worth import log_odds

QUESTION = "What is the name of Alice's dog today?"


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    filled = open_memory(model=FakeModel())
    lines = [
        ("s1", "Alice", "My dog is called Biscuit."),
        ("s1", "Bob", "A dog! What breed is it?"),
        ("s1", "Alice", "A corgi, three years old."),
        ("s2", "Bob", "The name of the hotel is Astoria."),
        ("s2", "Alice", "Thanks."),
    ]
    filled.remember_many([Turn(role="user", name=n, text=t, session=s) for s, n, t in lines])
    return filled


def test_its_own_weights_rank_as_the_memory_does(memory: CompressiveMemory) -> None:
    recalled = memory.recall(QUESTION, k=5, explain=True)
    hits = [(hit.turn_id, hit.score, log_odds(hit)) for hit in recalled]
    ranked = rank_with(memory, QUESTION, 5, WEIGHTS)
    assert [(winner.id, winner.score, winner.evidence) for winner in ranked] == hits


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_left_out_has_no_say(memory: CompressiveMemory, level: str) -> None:
    before = rank_with(memory, QUESTION, 5, WEIGHTS)
    after = rank_with(memory, QUESTION, 5, WEIGHTS.without(level))
    assert any(winner.evidence[level] != 0 for winner in before)
    assert after
    assert all(winner.evidence[level] == 0 for winner in after)
    for winner in after:
        assert 0 <= winner.score <= 1 + 1e-9


def test_without_direct_evidence_nothing_is_relevant(memory: CompressiveMemory) -> None:
    assert rank_with(memory, QUESTION, 5, WEIGHTS.without("words", "gist")) == []


def test_another_likeness_takes_the_place_of_gists(memory: CompressiveMemory) -> None:
    def last(turns: Snapshot) -> np.ndarray:
        return np.where(turns.ids == turns.ids[-1], 1.0, -1.0)

    best, *others = rank_with(memory, "Nothing like it", 5, WEIGHTS, likeness=last)
    assert best.id == 5
    assert best.score > 0.9
    assert best.evidence["gist"] > 0 == best.evidence["words"]
    assert all(winner.evidence["gist"] <= 0 for winner in others)
