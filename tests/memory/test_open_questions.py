"""Questions that ask for whatever was said: by a speaker, at a time, or at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory, Turn
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel
from tests.memory.worth import log_odds

NOW = datetime(2026, 4, 16, 20, tzinfo=UTC)
DAY = timedelta(days=1)
SAID = [
    ("Priya", "I moved from Pune to Oslo for a job at the harbour.", 30 * DAY),
    ("Tom", "Priya must be cold there.", 30 * DAY),
    ("Priya", "Yes.", 29 * DAY),
    ("Priya", "The ferry was late again.", DAY),
    ("Tom", "I baked bread.", DAY),
    ("Priya", "Ok.", timedelta(hours=1)),
]


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    fake: Any = FakeModel()
    return open_memory(model=fake)


@pytest.fixture
def talk(memory: CompressiveMemory) -> CompressiveMemory:
    memory.remember_many(
        Turn(role="user", text=text, name=name, time=NOW - ago) for name, text, ago in SAID
    )
    return memory


def names(memory: CompressiveMemory, question: str, k: int = 3) -> list[str | None]:
    return [hit.turn.name for hit in memory.recall(question, k, now=NOW)]


@pytest.mark.parametrize(
    "question",
    [
        "What did Priya say?",
        "Priya",
        "priya?",
        "Show me everything from Priya",
        "Everything that Priya told you, please",
        "What do you know about Priya?",
        "Priya's last messages",
        "What does Priya think?",
        "Priya's opinions?",
        "Summarize what Priya said",
        "Remind me what Priya told us",
    ],
)
def test_a_speakers_name_is_evidence_enough(talk: CompressiveMemory, question: str) -> None:
    hits = talk.recall(question, 4, now=NOW)
    assert [hit.turn.name for hit in hits] == ["Priya"] * 4
    assert [hit.text for hit in hits] == [SAID[one][1] for one in (0, 3, 5, 2)]
    assert hits[0].score == pytest.approx(1.0)


def test_those_who_mention_the_speaker_come_after(talk: CompressiveMemory) -> None:
    assert names(talk, "What did Priya say?", 9) == ["Priya"] * 4 + ["Tom"]


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        ("What did Priya say yesterday?", ["The ferry was late again."]),
        ("What did Tom say yesterday?", ["I baked bread."]),
        ("What did Priya and Tom say yesterday?", ["The ferry was late again.", "I baked bread."]),
        ("What did Priya say before April 2026?", [SAID[0][1], "Yes."]),
        ("Priya, since yesterday", ["The ferry was late again.", "Ok."]),
        ("What did Priya say in the last two days?", ["The ferry was late again.", "Ok."]),
        ("Priya, on 16 April and before", [SAID[0][1], "Yes.", "The ferry was late again.", "Ok."]),
        ("What did Tom say prior to April?", [SAID[1][1]]),
        ("What did Priya say from 15 April until now?", ["The ferry was late again.", "Ok."]),
        ("What did Priya say after 14 April but before 16 April?", ["The ferry was late again."]),
    ],
)
def test_within_the_time_if_one_is_named(
    talk: CompressiveMemory, question: str, texts: list[str]
) -> None:
    hits = talk.recall(question, len(texts), now=NOW)
    assert sorted(hit.text for hit in hits) == sorted(texts)


def test_other_words_are_searched_for_as_ever(talk: CompressiveMemory) -> None:
    assert talk.recall("What did Priya say about bread?", 1)[0].text == "I baked bread."
    assert talk.recall("What did Priya say about the ferry?", 1)[0].text == SAID[3][1]
    assert talk.recall("What did Xenia say?") == []


def test_a_name_that_is_a_verb(memory: CompressiveMemory) -> None:
    memory.remember("user", "May can drive.", name="Will")
    memory.remember("user", "Will can drive.", name="May")
    for name in ("May", "Will"):
        assert names(memory, f"What did {name} say?")[0] == name
    memory.remember("user", "I am from Ankara.", name="Can")
    assert names(memory, "What did Can say?")[0] == "Can"
    assert names(memory, "Can May drive?")[0] != "Can"


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("Jos\u00e9", "What did Jose say?"),
        ("Zo\u00eb", "zoe"),
        ("M\u00fcller", "What did Mueller say?"),
        ("Doe, Jane", "What did Jane Doe say?"),
        ("Jane Doe", "Jane"),
        ("J.R.", "What did J.R. say?"),
        ("J. R. Smith", "smith"),
        ("O'Brien", "What did O\u2019Brien say?"),
        ("\U0001f98a", "What did \U0001f98a say?"),
        ("Ana \U0001f33b", "ana"),
        ("+49 170 1234567", "What did 0170 1234567 say?"),
        ("+1 (555) 123-4567", "5551234567"),
        ("@kim_lee", "What did kim_lee say?"),
        ("\u5f20\u4f1f", "\u5f20\u4f1f"),
        ("\u041c\u0430\u0440\u0438\u044f", "\u043c\u0430\u0440\u0438\u044f"),
    ],
)
def test_names_are_spelled_as_people_do(
    memory: CompressiveMemory, name: str, question: str
) -> None:
    memory.remember("user", "The ferry was late.", name=name)
    memory.remember("user", "The bread is baked.", name="+44 20 5550 1")
    assert names(memory, question, 1) == [name]


def test_the_exact_and_the_whole_name_come_first(memory: CompressiveMemory) -> None:
    for name in ("Jos\u00e9", "Jose", "Dr. Smith", "Dr. Jones"):
        memory.remember("user", "The ferry was late.", name=name)
    assert names(memory, "What did Jos\u00e9 say?") == ["Jos\u00e9"]
    assert names(memory, "What did Dr. Smith say?") == ["Dr. Smith"]
    assert set(names(memory, "What did Dr. say?")) == {"Dr. Smith", "Dr. Jones"}


@pytest.mark.parametrize(
    "question",
    [
        "Who am I?",
        "What do you know about me?",
        "What did we talk about?",
        "whom were they",
        "What did you say?",
        "Tell me about myself",
        "Do you remember me?",
    ],
)
def test_stop_words_alone_bring_the_most_telling_and_newest(
    talk: CompressiveMemory, question: str
) -> None:
    hits = talk.recall(question, now=NOW, explain=True)
    assert len(hits) == 5
    assert hits[0].text == SAID[0][1]
    assert SAID[2][1] not in [hit.text for hit in hits]
    assert 0 < hits[-1].score < hits[0].score < 1
    odds = [sum(log_odds(hit).values()) for hit in hits]
    assert odds == sorted(odds, reverse=True)


def test_of_equally_telling_turns_the_newer_is_first(memory: CompressiveMemory) -> None:
    for number in range(60):
        memory.remember("user", "The bread is baked.", time=NOW - number * DAY)
    times = [hit.turn.time for hit in memory.recall("What did we talk about?", 60)]
    assert times == [NOW - number * DAY for number in range(60)]


def test_the_filters_hold(talk: CompressiveMemory) -> None:
    talk.remember("user", "I live elsewhere now.", session="other")
    hits = talk.recall("Who am I?", sessions=["other"])
    assert [hit.text for hit in hits] == ["I live elsewhere now."]
    ids = [hit.turn.id for hit in talk.recall("Who am I?", 99)]
    assert talk.recall("Who am I?", 99, exclude=ids) == []
    assert talk.recall("Who am I?", since=NOW + 9999 * DAY) == []


@pytest.mark.parametrize(
    "question",
    [
        *("", " ", "?!", "...", "remember", "conversation"),
        *("And then?", "Why not?", "How are you?", "Thank you!", "So it is."),
    ],
)
def test_what_does_not_ask_for_whatever_was_said(talk: CompressiveMemory, question: str) -> None:
    assert talk.recall(question, min_score=0.1) == []


def test_the_first_question_of_all_finds_nothing(memory: CompressiveMemory) -> None:
    assert memory.recall("Who am I?") == []


def test_a_span_brings_its_turns_and_no_others(talk: CompressiveMemory) -> None:
    for question, found in (
        ("What did we do before April 2026?", {0, 1, 2}),
        ("What happened after 10 April 2026?", {3, 4, 5}),
        ("What happened between 14 and 15 April 2026?", {3, 4}),
        ("What did we talk about from March 15 to April 15?", {0, 1, 2, 3, 4}),
        ("What happened since yesterday?", {3, 4, 5}),
        ("What was said on March 17 and April 15, 2026?", {0, 1, 3, 4}),
    ):
        hits = talk.recall(question, 9, now=NOW)
        assert {hit.text for hit in hits} == {SAID[one][1] for one in found}, question
