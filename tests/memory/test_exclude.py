"""Turns that the caller has already: a lookup goes as if nothing were said in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, StoredTurn
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel, Superseding

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
SAID = [
    ("Ann", "I live in a flat by the river."),
    ("Bot", "Who looks after your Wi-Fi there?"),
    ("Ann", "Der Vermieter ist für das WLAN da."),
    ("Ann", "I live in a house by the river."),
    ("Ann", "Now I live in a tent by the river!"),
    ("Bot", "Is the wi fi good by the river?"),
    ("Bot", "Noted."),
]
OTHERWISE = [
    "",
    "Which flat by the river has wifi? I live in a house by the river, or in a tent.",
    "Das Haus ist am Fluss, und wo ist der Vermieter?",
]
QUESTIONS = [
    "Where do I live, by the river?",
    "Who looks after the Wi-Fi?",
    "Wo ist der Vermieter?",
    "What did Ann say?",
    "Which flat did I live in before?",
    "quantum chromodynamics",
]


def remember(memory: CompressiveMemory, number: int, text: str) -> StoredTurn:
    name, _ = SAID[number]
    return memory.remember(
        "assistant" if name == "Bot" else "user",
        text,
        name=name,
        session="s",
        time=START + timedelta(days=number),
        key=str(number),
    )


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("excluded", range(len(SAID)))
def test_what_an_excluded_turn_says_decides_nothing(
    open_memory: OpenMemory, excluded: int, question: str
) -> None:
    memory = open_memory(model=FakeModel())
    ids = [remember(memory, number, text).id for number, (_, text) in enumerate(SAID)]
    options: list[dict[str, Any]] = [{}, {"level": "session"}, {"neighbours": False}]

    def found() -> list[Any]:
        each = [
            memory.recall(question, 9, exclude=[ids[excluded]], now=START, explain=True, **one)
            for one in options
        ]
        return [(list(hits), hits.explanation) for hits in each]

    as_it_was = found()
    for text in OTHERWISE:
        remember(memory, excluded, text)
        assert found() == as_it_was


def test_a_session_is_not_explained_by_what_is_excluded(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    ids = [remember(memory, number, text).id for number, (_, text) in enumerate(SAID)]
    hits = memory.recall("I live in a flat by the river.", 9, exclude=[ids[0]], explain=True)
    assert hits
    assert all(f"turn {ids[0]}:" not in str(hit.explanation) for hit in hits)


def test_what_is_excluded_stands_between_no_two_turns(open_memory: OpenMemory) -> None:
    memory = open_memory(model=Superseding())
    ids = [
        memory.remember("user", text, session=text, time=START + timedelta(days=number)).id
        for number, text in enumerate(("I live by the river.", "I live by a wide river.") * 2)
    ]
    asked = {"query": "Do I live by the river?", "exclude": [ids[2], ids[3]]}
    marked = {hit.turn.id: hit.superseded_by for hit in memory.recall(**asked)}  # type: ignore[arg-type]
    assert marked == {ids[0]: ids[1], ids[1]: None}
