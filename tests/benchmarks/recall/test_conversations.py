from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.recall.conversations import STAND_IN_START, parse, settle
from benchmarks.recall.readers import files
from r3mem_agents.errors import InvalidInputError, NotFoundError

FINE: dict[str, Any] = {
    "id": "one",
    "turns": [
        {"id": 1, "speaker": "Alice", "text": "Hallo ü", "time": "2026-11-20T14:03:00+01:00"},
        {"id": "2", "role": "assistant", "text": "", "session": 7, "time": "2026-11-20T14:04:00"},
    ],
    "questions": [
        {"question": "Who?", "gold": [1, "2", 1], "category": 4, "answer": "Alice"},
        {"question": "Why?", "answerable": False},
    ],
}


def _write(folder: Path, *lines: str, name: str = "talks.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _changed(**update: Any) -> str:
    return json.dumps(FINE | update)


def test_every_field_of_the_open_format(tmp_path: Path) -> None:
    dataset = files.read([_write(tmp_path, json.dumps(FINE), "")])
    assert dataset.problems == ()
    (talk,) = dataset.conversations
    first, second = talk.turns
    assert (first.id, first.speaker, first.role, first.session) == ("1", "Alice", "user", "1")
    assert first.text == "Hallo ü"
    assert first.time == datetime(2026, 11, 20, 13, 3, tzinfo=UTC)
    assert (second.id, second.speaker, second.role, second.session) == ("2", None, "assistant", "7")
    assert second.time == datetime(2026, 11, 20, 14, 4, tzinfo=UTC)
    who, why = talk.questions
    assert (who.gold, who.category, who.answer, who.counted) == (("1", "2"), "4", "Alice", True)
    assert (why.gold, why.answerable, why.counted) == ((), False, False)


def test_the_example_of_the_documentation_is_a_conversation() -> None:
    page = Path(__file__).parents[3] / "docs" / "recall.md"
    (example,) = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    dataset = settle([parse(example, "docs/recall.md")])
    assert dataset.problems == ()
    assert len(dataset.conversations[0].questions) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{'no json'}", "line 2 .*JSON"),
        ('{"id": "x", "turns": [{"id": "1"}]}', "line 2 .*turns.0.text"),
        (_changed(turns=[]), "line 2 .*turns"),
        (_changed(turns=[FINE["turns"][0]] * 2), "line 2 .*two turns have the id '1'"),
        (_changed(qestions=[]), "line 2 .*qestions"),
        (_changed(questions=[{"question": ""}]), "line 2 .*questions.0.question"),
        (_changed(turns=[{"id": 1, "text": "x", "time": "soon"}]), "line 2 .*turns.0.time"),
        (_changed(turns=[{"id": 1, "text": "\ud800"}]), "line 2 .*hex escape"),
        ("[]", "line 2"),
    ],
)
def test_a_broken_line_is_named_with_its_number(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        files.read([_write(tmp_path, json.dumps(FINE), line)])


def test_gold_turns_that_do_not_exist_are_named_and_left_out(tmp_path: Path) -> None:
    questions = [
        {"question": "a", "gold": ["1", "9", "2"], "rivals": ["2", "7", "2"]},
        {"question": "b", "gold": ["8"]},
        {"question": "c"},
    ]
    dataset = files.read([_write(tmp_path, _changed(questions=questions))])
    assert dataset.problems == (
        "one, question 1: no turn '9'",
        "one, question 1: no turn '7'",
        "one, question 2: no turn '8'",
        "one, question 2: no gold turn, so it is left out of recall",
        "one, question 3: no gold turn, so it is left out of recall",
    )
    kept = dataset.conversations[0].questions
    assert [question.gold for question in kept] == [("1", "2"), (), ()]
    assert kept[0].rivals == ("2",)
    assert [question.counted for question in kept] == [True, False, False]


def test_stand_in_times_keep_the_order(tmp_path: Path) -> None:
    turns = [{"id": n, "text": "x", "session": n // 2} for n in range(4)]
    (talk,) = files.read([_write(tmp_path, _changed(turns=turns, questions=[]))]).conversations
    times = [turn.time for turn in talk.turns]
    assert times[0] == STAND_IN_START
    known = [time for time in times if time is not None]
    assert known == sorted(set(known))
    assert len(known) == 4
    assert len({time.date() for time in known}) == 2


def test_folders_and_limits(tmp_path: Path) -> None:
    _write(tmp_path, _changed(id="b1"), _changed(id="b2"), name="b.jsonl")
    _write(tmp_path, _changed(id="a1"), name="a.jsonl")
    _write(tmp_path, "not data", name="notes.txt")
    names = [talk.id for talk in files.read([tmp_path]).conversations]
    assert names == ["a1", "b1", "b2"]
    assert [talk.id for talk in files.read([tmp_path], limit=2).conversations] == names[:2]
    assert sorted(files.digests([tmp_path])) == ["a.jsonl", "b.jsonl"]
    with pytest.raises(NotFoundError, match="no-such"):
        files.read([tmp_path / "no-such"])


LOCOMO: dict[str, Any] = {
    "sample_id": "conv-1",
    "conversation": {
        "speaker_a": "Ann",
        "speaker_b": "Ben",
        "session_10_date_time": "12:05 am on 1 March, 2023",
        "session_10": [{"speaker": "Ben", "dia_id": "D10:1", "text": "Late."}],
        "session_2_date_time": "1:56 pm on 8 May, 2022",
        "session_2": [
            {"speaker": "Ann", "dia_id": f"D2:{n}", "text": f"Turn {n}.", "blip_caption": "a cat"}
            for n in range(1, 6)
        ],
        "session_11_date_time": "1:00 pm on 2 March, 2023",
    },
}


def _locomo(folder: Path, *evidence: Any, category: int = 1, session_11: Any = ()) -> Path:
    qa = [
        {"question": f"Question {n}?", "answer": 2022, "evidence": one, "category": category}
        for n, one in enumerate(evidence)
    ]
    talk = {**LOCOMO["conversation"], "session_11": list(session_11)}
    path = folder / "locomo.json"
    path.write_text(json.dumps([LOCOMO | {"conversation": talk, "qa": qa}]))
    return path


def test_locomo_turns_are_in_the_order_of_their_sessions(tmp_path: Path) -> None:
    (talk,) = files.read([_locomo(tmp_path, ["D2:1"])]).conversations
    assert [turn.id for turn in talk.turns] == [*(f"D2:{n}" for n in range(1, 6)), "D10:1"]
    first, last = talk.turns[0], talk.turns[-1]
    assert (first.speaker, first.session, first.text) == ("Ann", "session 2", "Turn 1.")
    assert first.time == datetime(2022, 5, 8, 13, 56, tzinfo=UTC)
    assert last.time == datetime(2023, 3, 1, 0, 5, tzinfo=UTC)
    assert talk.questions[0].answer == "2022"


@pytest.mark.parametrize(
    ("evidence", "gold"),
    [
        (["D2:1", "D10:1"], ["D2:1", "D10:1"]),
        ([["D2:1", ["D2:3"]]], ["D2:1", "D2:3"]),
        (["D2:2; D10:1"], ["D2:2", "D10:1"]),
        (["D2:3 D2:1, D2:3"], ["D2:3", "D2:1"]),
        (["D2:2-D2:4"], ["D2:2", "D2:3", "D2:4"]),
        (["D2:2-4"], ["D2:2", "D2:3", "D2:4"]),
        (["D2:4 - D10:1"], ["D2:4", "D2:5", "D10:1"]),
        (["D:2:3"], ["D2:3"]),
        (["D02:05"], ["D2:5"]),
        ("D2:1", ["D2:1"]),
    ],
)
def test_locomo_evidence_in_every_writing(tmp_path: Path, evidence: Any, gold: list[str]) -> None:
    dataset = files.read([_locomo(tmp_path, evidence)])
    assert dataset.problems == ()
    assert dataset.conversations[0].questions[0].gold == tuple(gold)


def test_locomo_evidence_that_is_nothing_is_named(tmp_path: Path) -> None:
    dataset = files.read([_locomo(tmp_path, ["D2:1", "D", "D10:19"], ["D2:4-9"])])
    assert [question.gold for question in dataset.conversations[0].questions] == [
        ("D2:1",),
        ("D2:4",),
    ]
    assert dataset.problems == (
        "conv-1, question 1: no turn 'D'",
        "conv-1, question 1: no turn 'D10:19'",
        "conv-1, question 2: no turn 'D2:9'",
    )


def test_locomo_category_five_has_no_answer(tmp_path: Path) -> None:
    (talk,) = files.read([_locomo(tmp_path, ["D2:1"], category=5)]).conversations
    assert not talk.questions[0].answerable
    assert talk.questions[0].category == "adversarial"


def test_a_damaged_locomo_sample_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"sample conv-1.*dia_id"):
        files.read([_locomo(tmp_path, ["D2:1"], session_11=[{"text": "no id"}])])
    with pytest.raises(InvalidInputError, match=r"sample conv-1"):
        files.read([_locomo(tmp_path, ["D2:1"], category=9)])


def test_the_demonstration_is_read_too() -> None:
    import r3mem_agents.cli.demo

    path = Path(r3mem_agents.cli.demo.__file__).parent / "committee.json"
    dataset = files.read([path])
    (talk,) = dataset.conversations
    assert dataset.problems == ()
    assert (len(talk.turns), len(talk.questions)) == (632, 48)
    assert all(question.counted for question in talk.questions)


@pytest.mark.parametrize("text", ["{", '{"turns": []}', "[]", "[1]"])
def test_other_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"other\.json"):
        files.read([_write(tmp_path, text, name="other.json")])
