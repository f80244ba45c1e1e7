"""Rankings under other weights: what ablations and the fitting of weights stand on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from benchmarks.recall.conversation_index import ConversationIndex
from benchmarks.recall.conversations import SaidTurn
from r3mem_agents import Turn
from r3mem_agents.lookup.weights import LEVELS, WEIGHTS
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel
from tests.memory.worth import log_odds

QUESTION = "What is the name of Alice's dog today?"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TURNS = [
    SaidTurn(id=str(number), speaker=name, text=text, session=session, time=NOW)
    for number, (session, name, text) in enumerate(
        [
            ("s1", "Alice", "My dog is called Biscuit."),
            ("s1", "Bob", "A dog! What breed is it?"),
            ("s1", "Alice", "A corgi, three years old."),
            ("s2", "Bob", "The name of the hotel is Astoria."),
            ("s2", "Alice", "Thanks."),
        ]
    )
]


@pytest.fixture
def index() -> ConversationIndex:
    model: Any = FakeModel()
    return ConversationIndex(model, TURNS)


def test_its_own_weights_rank_as_a_memory_does(
    index: ConversationIndex, open_memory: OpenMemory
) -> None:
    memory = open_memory(model=FakeModel())
    memory.remember_many(
        Turn(role=t.role, name=t.speaker, text=t.text, session=t.session, time=t.time)
        for t in TURNS
    )
    recalled = memory.recall(QUESTION, k=5, explain=True, now=NOW)
    hits = [(hit.turn.id, hit.score, log_odds(hit)) for hit in recalled]
    ranked = index.rank(QUESTION, 5, WEIGHTS, NOW)
    assert [(winner.id, winner.score, winner.evidence) for winner in ranked] == hits


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_left_out_has_no_say(index: ConversationIndex, level: str) -> None:
    before = index.rank(QUESTION, 5, WEIGHTS, NOW)
    after = index.rank(QUESTION, 5, WEIGHTS.without(level), NOW)
    assert any(winner.evidence[level] != 0 for winner in before)
    assert after
    assert all(winner.evidence[level] == 0 for winner in after)
    for winner in after:
        assert 0 <= winner.score <= 1 + 1e-9


def test_without_direct_evidence_nothing_is_relevant(index: ConversationIndex) -> None:
    assert index.rank(QUESTION, 5, WEIGHTS.without("words", "gist"), NOW) == []


def test_another_similarity_takes_the_place_of_gists(index: ConversationIndex) -> None:
    last = np.array([-1.0, -1.0, -1.0, -1.0, 1.0])
    best, *others = index.rank("Nothing like it", 5, WEIGHTS, NOW, last)
    assert best.id == 5
    assert best.score > 0.9
    assert best.evidence["gist"] > 0 == best.evidence["words"]
    assert all(winner.evidence["gist"] <= 0 for winner in others)


def test_a_snapshot_holds_the_first_turns(index: ConversationIndex) -> None:
    assert index.snapshot().turns.ids.tolist() == [1, 2, 3, 4, 5]
    assert index.snapshot(2).turns.ids.tolist() == [1, 2]
