"""Lookups, with a model whose gists mean something: texts that share words are alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, Recollection, Turn
from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.lookup.ranking import Ranking, rank
from r3mem_agents.lookup.weights import LEVELS
from r3mem_agents.memory import retrieval
from r3mem_agents.memory.index_cache import IndexCache
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.records import scope_of
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel
from tests.memory.worth import log_odds

START = datetime(2026, 11, 20, 14, tzinfo=UTC)
LINES = [
    ("s1", "user", "Alice", "My dog is called Biscuit."),
    ("s1", "assistant", "Bot", "What breed is it?"),
    ("s1", "user", "Alice", "A corgi, three years old."),
    ("s2", "user", "Bob", "Flight LX1842 to Zurich leaves at 07:35."),
    ("s2", "assistant", "Bot", "Shall I book a taxi to the airport?"),
    ("s2", "user", "Bob", "Yes, for two people, please."),
    ("s3", "tool", None, "Invoice 9317: 42 euros for printer paper."),
    ("s3", "user", "Alice", "Thanks. The printer in Zurich is broken, by the way."),
]


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    filled = open_memory(model=FakeModel())
    filled.remember_many(
        [
            Turn(role=role, text=text, name=name, session=session, time=START + timedelta(hours=i))
            for i, (session, role, name, text) in enumerate(LINES)
        ]
    )
    return filled


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("What is my dog called?", 0),
        ("biscuit", 0),
        ("When does LX1842 leave?", 3),
        ("07:35", 3),
        ("Which invoice was about printing paper?", 6),
        ("Is a printer broken in Zurich?", 7),
        ("BOOKING A TAXI", 4),
    ],
)
def test_the_obvious_turn_is_first(memory: CompressiveMemory, question: str, line: int) -> None:
    best = memory.recall(question)[0].turn
    assert (best.session, best.role, best.name, best.text) == LINES[line]
    assert best.time == START + timedelta(hours=line)
    assert best == memory.history()[line]


def test_the_answer_beside_the_match_is_found(memory: CompressiveMemory) -> None:
    hits = memory.recall("What breed is it?", k=3)
    assert LINES[2][3] in [hit.text for hit in hits]


def test_turns_that_stand_alone_have_no_neighbours(open_memory: OpenMemory) -> None:
    entries = [
        "She works at a bank.",
        "Her dog is called Biscuit.",
        "She owns a house in Graz.",
        "The password rotates monthly.",
        "Her dog is called Biscuit.",
    ]
    memory = open_memory(model=FakeModel())
    turns = memory.remember_many([Turn(role="entry", text=text) for text in entries])
    hits = memory.recall("Biscuit", k=9, neighbours=False, explain=True)
    assert [hit.turn.id for hit in hits] == [turns[4].id, turns[1].id]
    assert hits[0].score == pytest.approx(hits[1].score)
    assert hits[0].score > 0.5
    assert not any(log_odds(hit)[level] for hit in hits for level in ("neighbours", "session"))
    assert len(memory.recall("Biscuit", k=9)) == 5


def test_the_speaker_in_the_question_decides(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    for name in ("Carol", "Dave", "Erin"):
        memory.remember("user", "I play the cello.", name=name, session=name)
    for name in ("Dave", "Carol", "Erin"):
        assert memory.recall(f"Does {name} play the cello?")[0].turn.name == name


@pytest.mark.parametrize("question", ["quantum chromodynamics", "", "   \n", "why were they", "?!"])
def test_nothing_relevant_is_an_empty_list(memory: CompressiveMemory, question: str) -> None:
    assert memory.recall(question) == []
    assert memory.recall(question, level="session") == []


def test_an_empty_memory_and_an_empty_turn(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    assert memory.recall("anything") == []
    memory.remember("user", "")
    assert memory.recall("anything") == []
    memory.remember("user", "Anything goes.")
    assert memory.recall("anything", k=1)[0].text == "Anything goes."


def test_scores_descend_with_the_sum_of_their_evidence(memory: CompressiveMemory) -> None:
    hits = memory.recall("Does Alice know the printer in Zurich?", k=100, explain=True)
    scores = [hit.score for hit in hits]
    assert len(hits) > 2
    assert scores == sorted(scores, reverse=True)
    odds = [sum(log_odds(hit).values()) for hit in hits]
    assert odds == pytest.approx(sorted(odds, reverse=True))
    for hit in hits:
        assert 0 < hit.score <= 1
        assert log_odds(hit).keys() == LEVELS.keys()


def test_k_cuts_the_same_list(memory: CompressiveMemory) -> None:
    question = "Zurich printer taxi dog"
    everything = memory.recall(question, k=1000)
    for k in range(1, len(everything) + 2):
        assert memory.recall(question, k=k) == everything[:k]


Keep = Callable[[Recollection], bool]
FILTERS: dict[str, tuple[dict[str, Any], Keep]] = {
    "since": (
        {"since": START + timedelta(hours=3)},
        lambda h: h.turn.time >= START + timedelta(hours=3),
    ),
    "until": (
        {"until": START + timedelta(hours=3)},
        lambda h: h.turn.time <= START + timedelta(hours=3),
    ),
    "both": (
        {"since": START + timedelta(hours=2), "until": START + timedelta(hours=4)},
        lambda h: START + timedelta(hours=2) <= h.turn.time <= START + timedelta(hours=4),
    ),
    "zone": (
        {"since": (START + timedelta(hours=3)).astimezone(timezone(timedelta(hours=-9)))},
        lambda h: h.turn.time >= START + timedelta(hours=3),
    ),
    "sessions": ({"sessions": ["s1", "s3"]}, lambda h: h.turn.session in ("s1", "s3")),
    "no session": ({"sessions": []}, lambda h: False),
    "roles": ({"roles": ["tool", "assistant"]}, lambda h: h.turn.role in ("tool", "assistant")),
    "unknown role": ({"roles": ["nobody"]}, lambda h: False),
    "min_score": ({"min_score": 0.3}, lambda h: h.score >= 0.3),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_only_leave_out(memory: CompressiveMemory, name: str) -> None:
    options, keep = FILTERS[name]
    question = "Which dog, printer, taxi or invoice in Zurich? Yes please, thanks, corgi."
    everything = memory.recall(question, k=1000)
    assert len(everything) == len(LINES)
    assert memory.recall(question, k=1000, **options) == [hit for hit in everything if keep(hit)]


def test_a_question_that_is_stored_itself_is_no_evidence(memory: CompressiveMemory) -> None:
    question = "quantum chromodynamics"
    stored = memory.remember("user", question, session="s3")
    assert memory.recall(question)[0].turn.id == stored.id
    assert memory.recall(question, exclude=[stored.id, 999]) == []
    everything = memory.recall("Zurich printer", k=1000)
    for hit in everything:
        rest = memory.recall("Zurich printer", k=1000, exclude=[hit.turn.id])
        assert {h.turn.id for h in rest} <= {h.turn.id for h in everything} - {hit.turn.id}


def test_a_session_is_found_by_its_best_turn(memory: CompressiveMemory) -> None:
    question = "dog corgi printer invoice Zurich taxi"
    turns = memory.recall(question, k=1000)
    best: dict[str, Recollection] = {}
    for hit in turns:
        best.setdefault(hit.turn.session, hit)
    assert len(best) == 3
    assert memory.recall(question, level="session") == list(best.values())
    assert memory.recall(question, k=2, level="session") == list(best.values())[:2]


def test_of_two_equal_turns_the_later_is_first(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    ids = [memory.remember("user", "Biscuit", session=f"s{i}").id for i in range(4)]
    assert [hit.turn.id for hit in memory.recall("Biscuit", k=3)] == ids[:0:-1]


def test_a_question_of_100_kilobytes(memory: CompressiveMemory) -> None:
    words = (f"word{i:b}".translate({48: "o", 49: "l"}) for i in range(8_000))
    question = " ".join(words) + " biscuit"
    assert len(question) > 100_000
    hits = memory.recall(question, k=len(LINES), explain=True)
    # Words alone: the gists of an untrained model say nothing.
    assert max(hits, key=lambda hit: log_odds(hit)["words"]).text == LINES[0][3]


@given(written=st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=8))
@settings(max_examples=30, deadline=None)
def test_a_cached_index_scores_like_a_fresh_one(
    written: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    # One memory is asked after every write, so its index grows turn by turn.
    words = {letter: f"{letter}word" for letter in "abcdefgh"}
    question = " ".join(words.values())
    model: Any = FakeModel()
    path = tmp_path_factory.mktemp("index") / "memory.db"
    with CompressiveMemory(path, model=model) as memory:
        for number, letters in enumerate(written):
            text = " ".join(words[letter] for letter in letters)
            memory.remember("user", text, session=f"s{number % 3}", name=words["a"])
            memory.recall(question)
        grown = memory.recall(question, k=100)
    with CompressiveMemory(path.rename(path.with_name("moved.db")), model=model) as memory:
        assert memory.recall(question, k=100) == grown


def test_a_turn_is_found_at_once_by_another_object(open_memory: OpenMemory) -> None:
    writer, reader = open_memory(model=FakeModel()), open_memory(model=FakeModel())
    for number in range(20):
        turn = writer.remember("user", f"The code is {number}zebra{number}.")
        assert reader.recall(f"{number}zebra{number}", k=1)[0].turn.id == turn.id
        assert reader.history()[-1] == turn


@pytest.mark.parametrize("k", [0, -1, True, 1.5, "5", None])
def test_k_must_be_a_positive_int(memory: CompressiveMemory, k: Any) -> None:
    with pytest.raises(InvalidInputError, match="k "):
        memory.recall("dog", k=k)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"since": datetime(2026, 11, 20)}, "time zone"),
        ({"until": "yesterday"}, "datetime"),
        ({"sessions": "s1"}, "list of str"),
        ({"sessions": [1]}, "str"),
        ({"roles": "user"}, "list of str"),
        ({"roles": [""]}, "empty"),
        ({"min_score": "high"}, "number"),
        ({"min_score": float("nan")}, "number"),
        ({"exclude": ["1"]}, "exclude holds '1'"),
        ({"level": "document"}, "'turn' or 'session'"),
    ],
)
def test_wrong_arguments_are_refused(
    memory: CompressiveMemory, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        memory.recall("dog", **options)


@pytest.mark.parametrize("query", [None, 5, b"dog", "dog \ud800"])
def test_wrong_questions_are_refused(memory: CompressiveMemory, query: Any) -> None:
    with pytest.raises(InvalidInputError, match="query"):
        memory.recall(query)
    with pytest.raises(InvalidInputError, match="query"):
        memory.context(query)


def test_unknown_sessions_are_named(memory: CompressiveMemory) -> None:
    with pytest.raises(NotFoundError, match="'nowhere'"):
        memory.recall("dog", sessions=["s1", "nowhere"])
    with pytest.raises(NotFoundError, match="'nowhere'"):
        memory.history("nowhere")
    assert memory.recall("dog", sessions=["default"]) == []  # its own, though nothing is in it
    assert memory.history("default") == []
    assert memory.turn_ids("default") == memory.turn_ids("nowhere") == []


def test_a_turn_forgotten_between_ranking_and_reading(
    memory: CompressiveMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = f"{LINES[0][3]} Zurich printer taxi"
    everything = memory.recall(question, k=4)
    ranked: list[int] = []

    def rank_and_forget(*arguments: Any, **options: Any) -> Ranking:
        ranking = rank(*arguments, **options)
        if not ranked:
            ranked.extend(winner.id for winner in ranking.winners)
            memory.forget(turn_ids=ranked[-1:])
        return ranking

    monkeypatch.setattr(retrieval, "rank", rank_and_forget)
    hits = memory.recall(question, k=3)
    assert ranked == [hit.turn.id for hit in everything[:3]]
    assert len(hits) == 3
    assert ranked[-1] not in [hit.turn.id for hit in hits]


def test_the_cache_keeps_only_the_latest_scopes(open_memory: OpenMemory) -> None:
    cache = IndexCache(max_turns=5)
    memories = {user: open_memory(user=user, model=FakeModel()) for user in "abc"}
    for memory in memories.values():
        memory.remember_many([Turn(role="user", text=f"Biscuit {i}") for i in range(2)])

    def look(user: str) -> int:
        store = memories[user]._handle.store
        obfuscator = Obfuscator(store.secret)
        scope = scope_of(obfuscator, user, "default")
        snapshot = cache.snapshot(store, scope, obfuscator, 32)
        assert snapshot is not None
        return len(snapshot.turns.ids)

    for user in "abacab":
        assert look(user) == 2
        assert len(cache) <= 2
    memories["c"].remember_many([Turn(role="user", text="Many") for _ in range(10)])
    assert look("c") == 12  # too many for the cache, and answered all the same
    assert len(cache) == 1


MEETINGS = [
    ("We met Bob.", datetime(2023, 5, 7, 12, tzinfo=UTC)),
    ("We met Bob.", datetime(2023, 6, 18, 12, tzinfo=UTC)),
    ("It rained.", datetime(2023, 6, 18, 13, tzinfo=UTC)),
    ("We met Bob.", datetime(2023, 8, 1, 12, tzinfo=UTC)),
]
ASKED = datetime(2023, 8, 2, 9, tzinfo=UTC)


@pytest.fixture
def meetings(open_memory: OpenMemory) -> CompressiveMemory:
    filled = open_memory(model=FakeModel())
    for number, (text, time) in enumerate(MEETINGS):
        filled.remember("user", text, time=time, session=str(number))
    return filled


@pytest.mark.parametrize(
    ("when", "line"),
    [("on 7 May 2023", 0), ("in May", 0), ("in June 2023", 1), ("yesterday", 3), ("last month", 3)],
)
def test_a_date_favours_its_turns_and_excludes_none(
    meetings: CompressiveMemory, when: str, line: int
) -> None:
    hits = meetings.recall(f"Where did we meet Bob {when}?", now=ASKED, explain=True)
    assert hits[0].turn.time == MEETINGS[line][1]
    assert log_odds(hits[0])["time"] > log_odds(hits[1])["time"]
    assert {time for text, time in MEETINGS if "Bob" in text} <= {hit.turn.time for hit in hits}


def test_since_and_until_stay_hard(meetings: CompressiveMemory) -> None:
    question, june = "Where did we meet Bob on 7 May 2023?", datetime(2023, 6, 1, tzinfo=UTC)
    times = [time for text, time in MEETINGS if "Bob" in text]
    assert {hit.turn.time for hit in meetings.recall(question, since=june)} == set(times[1:])
    assert [hit.turn.time for hit in meetings.recall(question, until=june)] == times[:1]


def test_without_a_date_now_changes_nothing(meetings: CompressiveMemory) -> None:
    hits = meetings.recall("Where did we meet Bob?", now=ASKED, explain=True)
    assert hits == meetings.recall("Where did we meet Bob?", explain=True)
    assert all(log_odds(hit)["time"] == 0 for hit in hits)


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        ("What happened on 18 June 2023?", [2, 1]),
        ("What did we talk about yesterday?", [3]),
        ("in May", [0]),
    ],
)
def test_a_date_alone_brings_its_turns(
    meetings: CompressiveMemory, question: str, lines: list[int]
) -> None:
    hits = meetings.recall(question, k=len(lines), now=ASKED)
    assert {hit.turn.time for hit in hits} == {MEETINGS[line][1] for line in lines}
    context = meetings.context(question, now=ASKED)
    assert all(f"{MEETINGS[line][1]:%Y-%m-%d}" in context for line in lines)


def test_a_date_that_no_turn_is_near_is_no_answer(meetings: CompressiveMemory) -> None:
    assert meetings.recall("What happened on 3 January 2023?", now=ASKED) == []


@pytest.mark.parametrize("now", [datetime(2023, 8, 2), "yesterday", 3])
def test_now_needs_a_zone(meetings: CompressiveMemory, now: Any) -> None:
    with pytest.raises(InvalidInputError, match="now"):
        meetings.recall("dog", now=now)
    with pytest.raises(InvalidInputError, match="now"):
        meetings.context("dog", now=now)
