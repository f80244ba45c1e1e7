"""Why turns are found, and why none is: by level, in numbers and plain words."""

from __future__ import annotations

import copy
import pickle
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from r3mem_agents import (
    CompressiveMemory,
    Evidence,
    Explanation,
    LookupExplanation,
    OtherGistsWarning,
    Turn,
)
from r3mem_agents.lookup.confidence import MIN_SURENESS
from r3mem_agents.lookup.weights import LEVELS
from r3mem_agents.memory import retrieval
from r3mem_agents.memory.explanation.turns import ROLE_REASONS
from tests.conftest import OpenMemory
from tests.memory.fake_model import FakeModel, Superseding

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
START = datetime(2026, 5, 4, 9, tzinfo=UTC)
SAID = [
    ("talk", "user", "Ann", "Which vet looks after the cat?"),
    ("talk", "assistant", "Bot", "Dr. Huber does, in Graz."),
    ("talk", "user", "Ann", "The printer prints nothing."),
    ("trip", "user", "Ben", "My train to Graz leaves at ten."),
    ("trip", "user", "Ben", "The wifi is called Blue."),
    ("trip", "assistant", "Bot", "Noted."),
]
QUESTIONS = [
    "Which vet does the cat see?",
    "What did Ben say about Graz in May?",
    "What did Ben say?",
    "Who am I?",
    "What happened on 5 May 2026?",
    "And then?",
    "quantum chromodynamics",
    "My printer and my train to Graz",
]


@pytest.fixture
def memory(open_memory: OpenMemory) -> CompressiveMemory:
    filled = open_memory(model=FakeModel())
    filled.remember_many(
        Turn(role=role, name=name, text=text, session=session, time=START + timedelta(days=number))
        for number, (session, role, name, text) in enumerate(SAID)
    )
    return filled


def why(memory: CompressiveMemory, question: str, text: str, **options: Any) -> Explanation:
    """The explanation of the turn with a text."""
    hits = memory.recall(question, k=9, now=NOW, explain=True, **options)
    [explanation] = [hit.explanation for hit in hits if hit.text == text]
    assert explanation is not None
    return explanation


def reasons(explanation: Explanation, level: str) -> str:
    return "; ".join(explanation.evidence[level].reasons)


def outcome(memory: CompressiveMemory, question: str, **options: Any) -> str:
    """Why nothing was found."""
    found = memory.recall(question, now=NOW, explain=True, **options)
    assert found == []
    assert found.explanation is not None
    return found.explanation.outcome


@pytest.mark.parametrize("options", [{}, {"level": "session"}, {"neighbours": False}, {"k": 1}])
@pytest.mark.parametrize("question", QUESTIONS)
def test_explaining_changes_nothing_else(
    memory: CompressiveMemory, question: str, options: dict[str, Any]
) -> None:
    plain = memory.recall(question, now=NOW, **options)
    explained = memory.recall(question, now=NOW, explain=True, **options)
    assert [replace(hit, explanation=None) for hit in explained] == plain
    assert plain.explanation is None
    assert all(hit.explanation is None for hit in plain)
    assert explained.explanation is not None
    for hit in explained:
        assert hit.explanation is not None
        assert hit.explanation.evidence.keys() == LEVELS.keys()
        one = hit.explanation
        assert not set(one.said) & set(one.unsaid)
        assert {*one.said, *one.unsaid} == {*explained.explanation.words}
        worth = [level.log_odds for level in one.evidence.values()]
        assert one.log_odds == pytest.approx(sum(worth))
    best = max((hit.score for hit in explained), default=0.0)
    assert best == pytest.approx(explained.explanation.sureness if explained else 0.0)


def test_it_costs_nothing_unless_it_is_asked_for(
    memory: CompressiveMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("nobody asked why")

    for name in ("SaidWords", "Explainer", "explain_lookup"):
        monkeypatch.setattr(retrieval, name, refuse)
    assert memory.recall(QUESTIONS[0])
    with pytest.raises(AssertionError, match="nobody asked why"):
        memory.recall(QUESTIONS[0], explain=True)


async def test_the_async_twin_explains_too(memory: CompressiveMemory) -> None:
    found = await memory.arecall(QUESTIONS[0], now=NOW, explain=True)
    assert found == memory.recall(QUESTIONS[0], now=NOW, explain=True)
    assert found.explanation is not None


def test_words_are_those_of_the_question(memory: CompressiveMemory) -> None:
    found = memory.recall("Do the cats see a vet about Wi-Fi or rabies?", k=9, explain=True)
    assert found.explanation is not None
    assert found.explanation.words == ("cats", "see", "vet", "wifi", "rabies")
    cat = why(memory, "Do the cats see a vet about Wi-Fi or rabies?", SAID[0][3])
    assert (cat.said, cat.unsaid) == (("cats", "vet"), ("see", "wifi", "rabies"))
    assert reasons(cat, "words").startswith("said: cats, vet; not said: see, wifi, rabies; ")
    wifi = why(memory, "Do the cats see a vet about Wi-Fi or rabies?", SAID[4][3])
    assert wifi.said == ("wifi",)
    assert wifi.evidence["words"].log_odds > 0


def test_what_is_said_beside_a_turn_and_in_its_session(open_memory: OpenMemory) -> None:
    people = open_memory(model=FakeModel())  # one role: what stands beside a turn counts
    said = [text for _, _, _, text in SAID[:3]]
    people.remember_many(Turn(role="user", text=text, time=START) for text in said)
    answer = why(people, "Does the vet see the cat or the printer?", said[1])
    assert answer.said == ()
    assert answer.evidence["neighbours"].reasons == (
        "the turn before says: vet, cat",
        "the turn after says: printer",
    )
    assert "its session says: vet, cat, printer" in answer.evidence["session"].reasons
    alone = why(people, "Does the vet see the cat?", said[0], neighbours=False)
    assert alone.evidence["neighbours"] == alone.evidence["session"] == Evidence(log_odds=0.0)


def test_similarity_is_told(memory: CompressiveMemory, open_memory: OpenMemory) -> None:
    cat = why(memory, SAID[0][3], SAID[0][3])
    assert cat.similarity is not None
    assert f"similarity {cat.similarity:.2f}" in reasons(cat, "gist")
    other = why(memory, SAID[0][3], SAID[1][3])
    assert other.similarity is not None
    assert other.similarity < cat.similarity
    with pytest.warns(OtherGistsWarning):
        other_model = open_memory(model=FakeModel(encoder="another"))
        none = why(other_model, SAID[2][3], SAID[2][3])
    assert none.similarity is None
    assert reasons(none, "gist") == "it has no gist of this model to compare"


def test_speakers_who_are_named(memory: CompressiveMemory) -> None:
    question = "What did Ben say about Graz?"
    train = why(memory, question, SAID[3][3])
    assert reasons(train, "speaker") == "the question names Ben"
    huber = why(memory, question, SAID[1][3])
    assert reasons(huber, "speaker") == "the question names Ben, Bot speaks"
    assert huber.evidence["speaker"].log_odds == 0 < train.evidence["speaker"].log_odds
    found = memory.recall(question, explain=True)
    assert found.explanation is not None
    assert found.explanation.speakers == ("Ben",)


def test_times_that_are_named(memory: CompressiveMemory) -> None:
    question = "Which train to Graz on 5 May 2026?"
    named = "the question names 2026-05-05"
    assert f"{named}, this turn is of that time" in reasons(
        why(memory, question, SAID[1][3]), "time"
    )
    train = reasons(why(memory, question, SAID[3][3]), "time")
    assert f"{named}, this turn is 1 day after" in train
    found = memory.recall(question, now=NOW, explain=True)
    assert found.explanation is not None
    assert found.explanation.times == ("2026-05-05",)
    assert "2026" not in " ".join(found.explanation.words)


def test_a_long_question_and_a_strange_name(open_memory: OpenMemory) -> None:
    memory = open_memory(model=FakeModel())
    memory.remember("user", "The printer prints nothing.", name="Eve\nsum +9.99")
    memory.remember("user", "What prints?", name="Ann")
    words = [f"word{number}" for number in range(10_000)]
    found = memory.recall(f"Eve: printer {' '.join(words)}", explain=True)
    assert found.explanation is not None
    assert len(found.explanation.words) == 10_002
    for hit in found:
        assert hit.explanation is not None
        assert "\nsum +9.99" not in str(hit.explanation)
        assert all(len(reason) < 200 for reason in hit.explanation.evidence["words"].reasons)
        assert len(hit.explanation.said) + len(hit.explanation.unsaid) == 10_002
        assert re.search(r"not said: .*, 9,9\d\d more", reasons(hit.explanation, "words"))
    [ann] = [hit.explanation for hit in found if hit.turn.name == "Ann"]
    assert ann is not None
    assert reasons(ann, "speaker") == "the question names Eve sum +9.99, Ann speaks"


def test_roles_are_told_by_what_they_are_worth(memory: CompressiveMemory) -> None:
    assert ROLE_REASONS.keys() == set(LEVELS["role"])
    for _, _, _, text in SAID[:3]:
        role = why(memory, "My printer, my vet and my cat", text).evidence["role"]
        told = [float(worth) for worth in re.findall(r"\(([+-]\d\.\d\d)\)", str(role.reasons))]
        assert len(told) == len(role.reasons)
        assert sum(told) == pytest.approx(role.log_odds, abs=0.01 * len(LEVELS["role"]))


def test_places_are_told(memory: CompressiveMemory) -> None:
    hits = memory.recall("printer vet cat", k=9, now=NOW, explain=True)
    assert hits.explanation is not None
    told = [hit.explanation for hit in hits if hit.explanation is not None]
    assert len(told) == len(hits) > 2
    best = max(told, key=lambda one: one.log_odds)
    assert f"{hits.explanation.sureness:.2f} sure" in best.notes[0]
    for one in told:
        behind = best.log_odds - one.log_odds
        assert (f"{behind:.2f} log-odds behind the best turn" in one.notes) == (one is not best)


def test_what_supersedes_is_told(open_memory: OpenMemory) -> None:
    memory = open_memory(model=Superseding())
    for day, text in enumerate(("I live near the old mill.", "I live near the new mill.")):
        memory.remember("user", text, time=START + timedelta(days=day), session=str(day))
    new, old = memory.recall("Who lives near a mill?", explain=True)
    assert old.superseded_by == new.turn.id
    assert old.explanation is not None
    assert new.explanation is not None
    assert f"turn {new.turn.id}, newer and by the same speaker" in old.explanation.notes[-1]
    assert f"supersedes turn {old.turn.id}, and ranks before it" in new.explanation.notes
    told = (new.explanation, old.explanation)
    assert [any("raised" in note for note in one.notes) for one in told] == [True, False]
    assert new.explanation.log_odds < old.explanation.log_odds
    hits = memory.recall("Who lived near a mill before?", k=2, explain=True)
    [new] = [hit for hit in hits if hit.superseded_by is None]
    assert new.explanation is not None
    assert new.explanation.notes[-1].endswith(f"supersedes turn {old.turn.id}")


def test_whatever_was_said_is_told(memory: CompressiveMemory) -> None:
    question = "What did Ben say?"
    train = why(memory, question, SAID[3][3])
    assert "whatever was said" in reasons(train, "words")
    assert reasons(train, "speaker") == "the question names Ben"
    assert "newer than" in reasons(train, "time")
    assert train.evidence["gist"] == train.evidence["role"] == Evidence(log_odds=0.0)


def test_a_turn_is_found_at_its_place_in_its_session(memory: CompressiveMemory) -> None:
    found = memory.recall("cat", 100, explain=True)
    assert found
    for hit in found:
        members = memory.history(hit.turn.session)
        assert hit.explanation is not None
        assert members[hit.explanation.position - 1] == hit.turn
        assert len(members) == hit.explanation.session_turns


def test_printed_it_is_a_line_a_level() -> None:
    explanation = Explanation(
        evidence={
            "words": Evidence(log_odds=1.5, reasons=("said: cat", "not said: pet")),
            "gist": Evidence(log_odds=-0.25),
            "time": Evidence(log_odds=0.0),
        },
        said=("cat",),
        unsaid=("pet",),
        similarity=0.4,
        position=2,
        session_turns=3,
        notes=("the best",),
    )
    assert str(explanation) == (
        "words +1.50: said: cat; not said: pet\ngist -0.25\nsum +1.25\nthe best\n"
        "turn 2 of 3 in its session"
    )
    lookup = LookupExplanation(words=("cat", "pet"), times=("2026-05-05",), outcome="Found.")
    assert str(lookup) == "words: cat, pet\ntimes: 2026-05-05\nFound."


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_copies_keep_their_explanation(memory: CompressiveMemory, again: Any) -> None:
    found = memory.recall(QUESTIONS[0], explain=True)
    assert again(found) == found
    assert again(found).explanation == found.explanation is not None


def test_why_nothing_is_found(memory: CompressiveMemory) -> None:
    assert "is empty" in outcome(memory, "  ")
    assert "holds no turns" in outcome(memory.scoped(user="nobody"), "cat")
    assert "no words to search for" in outcome(memory, "And then?")
    assert "no turn says one of its words" in outcome(memory, "quantum chromodynamics")
    assert "the time that it names, 2026-01-03" in outcome(memory, "What happened on 3 January?")
    everything = len(memory.recall("vet cat", k=9))
    users = len(memory.recall("vet cat", k=9, roles=["user"]))
    assert outcome(memory, "vet cat", until=START - timedelta(days=1), roles=["user"]) == (
        f"Turns that may answer: {everything}, but none of them is returned: "
        f"until lets 0 through and roles lets {users} through."
    )
    only = memory.recall("wifi", k=1)[0].turn.id
    told = outcome(memory, "wifi", exclude=[only], roles=["user"])
    assert told.endswith("Turns that exclude leaves out: 1.")
    assert "exclude lets" not in told
    assert "sessions lets 0 through" in outcome(memory, "vet cat", sessions=["default"])
    assert "min_score lets 0 through" in outcome(memory, "vet cat", min_score=1.0)


def test_the_best_that_was_not_good_enough_is_named(memory: CompressiveMemory) -> None:
    question = "Glacier melt"  # which turn 3 happens to resemble by 0.16
    told = outcome(memory, question)
    assert re.search(r"turn \d has the most evidence, and says \d+ % of the weightiest words", told)
    found = memory.recall(question, now=NOW, explain=True)
    assert found.explanation is not None
    assert 0 < found.explanation.sureness < MIN_SURENESS
    assert f"it is {found.explanation.sureness:.3f} sure" in told


def test_what_was_found_is_told(memory: CompressiveMemory) -> None:
    found = memory.recall("vet cat", k=1, explain=True)
    assert found.explanation is not None
    assert found.explanation.outcome == (
        f"Turns that may answer: {len(memory.recall('vet cat', k=9))} of {len(SAID)}; it is "
        f"{found.explanation.sureness:.2f} sure that the memory holds an answer."
    )
