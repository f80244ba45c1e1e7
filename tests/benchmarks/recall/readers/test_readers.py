"""The files of public sets: their own layouts, with content made up for the tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.recall.conversations import Conversation
from benchmarks.recall.readers import files
from r3mem_agents.errors import InvalidInputError, NotFoundError

USER, ASSISTANT = "user", "assistant"


def _said(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def _instance(id_: str = "q1", **changes: Any) -> dict[str, Any]:
    """A history of three sessions, not in the order of their dates, as in the oracle's file."""
    return {
        "question_id": id_,
        "question_type": "temporal-reasoning",
        "question": "How many weeks ago did I plant the pear tree?",
        "answer": 3,
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_dates": [
            "2023/05/20 (Sat) 02:21",
            "2023/05/09 (Tue) 17:05",
            "2023/05/22 (Mon) 09:00",
        ],
        "haystack_session_ids": ["answer_7_1", "filler_3", "answer_7_2"],
        "haystack_sessions": [
            [
                _said(USER, "How deep does a pear tree go?", has_answer=False),
                _said(ASSISTANT, "As deep as its pot.", has_answer=False),
                _said(USER, "I planted mine today.", has_answer=True),
            ],
            [_said(USER, "What rhymes with orange?"), _said(ASSISTANT, "Nothing much.")],
            [_said(USER, "The tree has a leaf."), _said(ASSISTANT, "Good.", has_answer=True)],
        ],
        "answer_session_ids": ["answer_7_1", "answer_7_2"],
        **changes,
    }


def _save(folder: Path, raw: Any, name: str = "longmemeval_s.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


def _one(folder: Path, raw: Any) -> Conversation:
    (conversation,) = files.read([_save(folder, raw)]).conversations
    return conversation


def test_a_history_is_a_conversation_with_one_question(tmp_path: Path) -> None:
    path = _save(tmp_path, [_instance("q1"), _instance("q2_abs")])
    dataset = files.read([path])
    assert dataset.problems == ()
    first, second = dataset.conversations
    assert (first.id, first.source, first.unit) == ("q1", "longmemeval_s", "turn")
    assert [turn.id for turn in first.turns] == [
        "filler_3:1",
        "filler_3:2",
        "answer_7_1:1",
        "answer_7_1:2",
        "answer_7_1:3",
        "answer_7_2:1",
        "answer_7_2:2",
    ]
    turn = first.turns[3]
    assert (turn.text, turn.role, turn.speaker) == ("As deep as its pot.", ASSISTANT, None)
    assert (turn.session, turn.time) == ("answer_7_1", datetime(2023, 5, 20, 2, 21, tzinfo=UTC))
    (question,) = first.questions
    assert question.gold == ("answer_7_1:3", "answer_7_2:2")
    assert (question.category, question.answer) == ("temporal-reasoning", "3")
    assert question.time == datetime(2023, 5, 30, 23, 40, tzinfo=UTC)
    assert question.counted
    (unanswerable,) = second.questions
    assert (unanswerable.answerable, unanswerable.gold) == (False, ())
    assert [one.id for one in files.read([path], limit=1).conversations] == ["q1"]


def test_without_marked_turns_any_turn_of_the_answers_sessions_will_do(tmp_path: Path) -> None:
    sessions = [
        [_said(turn["role"], turn["content"]) for turn in session]
        for session in _instance()["haystack_sessions"]
    ]
    talk = _one(tmp_path, [_instance(haystack_sessions=sessions)])
    assert talk.unit == "session"
    assert talk.questions[0].gold == (
        "answer_7_1:1",
        "answer_7_1:2",
        "answer_7_1:3",
        "answer_7_2:1",
        "answer_7_2:2",
    )


def test_a_session_that_a_history_has_twice_keeps_both(tmp_path: Path) -> None:
    ids = ["answer_7_1", "filler_3", "filler_3"]
    talk = _one(tmp_path, [_instance(haystack_session_ids=ids)])
    assert list(dict.fromkeys(turn.session for turn in talk.turns)) == [
        "filler_3",
        "answer_7_1",
        "filler_3 (2)",
    ]


def test_an_answers_session_that_is_not_there_is_named(tmp_path: Path) -> None:
    sessions = [[_said(USER, "Nothing.")] for _ in range(3)]
    raw = [_instance(haystack_sessions=sessions, answer_session_ids=["filler_3", "lost_9"])]
    dataset = files.read([_save(tmp_path, raw)])
    assert dataset.problems == ("q1, question 1: no turn 'lost_9'",)
    assert dataset.conversations[0].questions[0].gold == ("filler_3:1",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"haystack_dates": ["2023/05/20 (Sat) 02:21"]}, "3 haystack_sessions.*1 haystack_dates"),
        ({"haystack_dates": ["yesterday"] * 3}, "yesterday"),
        ({"question_date": "2023-05-30"}, "2023-05-30"),
        ({"haystack_sessions": [[{"role": USER}]] * 3}, "haystack_sessions.0.0.content"),
        ({"haystack_sessions": [["Hello."]] * 3}, "haystack_sessions.0.0"),
        ({"haystack_sessions": [[], [], []]}, "turns"),
        ({"answer_session_ids": "answer_7_1"}, "answer_session_ids"),
        ({"question": None}, "question"),
    ],
)
def test_another_layout_of_a_history_is_named(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    path = _save(tmp_path, [_instance(), _instance(**changes)])
    with pytest.raises(
        InvalidInputError,
        match=rf"(?s)longmemeval_s\.json, instance 2: .*{reason}.*layout is a list",
    ):
        files.read([path])


@pytest.mark.parametrize("field", _instance())
def test_every_field_of_a_history_is_needed(tmp_path: Path, field: str) -> None:
    broken = {name: value for name, value in _instance().items() if name != field}
    with pytest.raises(InvalidInputError, match=rf"instance 2: {field}: Field required"):
        files.read([_save(tmp_path, [_instance(), broken])])


def test_the_files_of_the_first_release_have_no_ending(tmp_path: Path) -> None:
    path = _save(tmp_path, [_instance()], "longmemeval_oracle")
    (talk,) = files.read([path]).conversations
    assert (talk.id, talk.source) == ("q1", "longmemeval_oracle")


def _message(id_: int, role: str, content: str, anchor: str | None = None) -> dict[str, Any]:
    message = {"role": role, "id": id_, "content": content, "question_type": "main_question"}
    return message if anchor is None else message | {"time_anchor": anchor}


BATCHES = [
    [
        [_message(0, USER, "I keep bees.", "March-15-2024"), _message(1, ASSISTANT, "How many?")],
        [_message(2, USER, "Two hives."), _message(3, ASSISTANT, "That is a start.")],
    ],
    [[_message(4, USER, "A third hive came.", "May-02-2024"), _message(5, ASSISTANT, "Good!")]],
]
PROBES = {
    "abstention": [
        {"question": "Who sold me the bees?", "ideal_response": "It was not said.", "rubric": []}
    ],
    "information_extraction": [
        {"question": "What do I keep?", "answer": "Bees.", "source_chat_ids": [0, 0]}
    ],
    "knowledge_update": [
        {
            "question": "How many hives are there?",
            "answer": 3,
            "source_chat_ids": {"original_info": [2], "updated_info": [4]},
        }
    ],
    "summarization": [
        {"question": "Sum it up.", "ideal_summary": "Bees.", "source_chat_ids": [[0], [2, [4]]]}
    ],
    "contradiction_resolution": [{"question": "Do I keep bees?", "ideal_answer": "Yes."}],
}
CHAT = [{"batch_number": number, "turns": turns} for number, turns in enumerate(BATCHES, 1)]
ROW = {
    "conversation_id": "7",
    "conversation_seed": {"category": "Lifestyle"},
    "chat": [[message for turn in turns for message in turn] for turns in BATCHES],
    "probing_questions": str(PROBES),
}


def _beam_folder(folder: Path, name: str, chat: Any = CHAT, probes: Any = PROBES) -> Path:
    _save(folder, chat, f"{name}/chat.json")
    _save(folder, probes, f"{name}/probing_questions/probing_questions.json")
    return folder / name


def _check_bees(talk: Conversation) -> None:
    assert [turn.id for turn in talk.turns] == ["0", "1", "2", "3", "4", "5"]
    assert [turn.session for turn in talk.turns] == ["1"] * 4 + ["2"] * 2
    assert [turn.role for turn in talk.turns] == [USER, ASSISTANT] * 3
    assert {turn.speaker for turn in talk.turns} == {None}
    march, may = datetime(2024, 3, 15, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC)
    assert [turn.time for turn in talk.turns] == [march] * 4 + [may] * 2
    gold = {question.category: question.gold for question in talk.questions}
    assert gold == {
        "abstention": (),
        "information_extraction": ("0",),
        "knowledge_update": ("2", "4"),
        "summarization": ("0", "2", "4"),
        "contradiction_resolution": (),
    }
    assert [q.category for q in talk.questions if not q.answerable] == ["abstention"]
    answers = [question.answer for question in talk.questions]
    assert answers == ["It was not said.", "Bees.", "3", "Bees.", "Yes."]


@pytest.mark.parametrize("probes", [PROBES, str(PROBES), json.dumps(PROBES)])
def test_rows_as_they_are_published(tmp_path: Path, probes: Any) -> None:
    rows = [ROW | {"probing_questions": probes}]
    dataset = files.read([_save(tmp_path, rows, "beam_100K.json")])
    (talk,) = dataset.conversations
    assert (talk.id, talk.source) == ("7", "beam_100K")
    assert dataset.problems == ("7, question 5: no gold turn, so it is left out of recall",)
    _check_bees(talk)
    (alone,) = files.read([_save(tmp_path, rows[0], "one.json")]).conversations
    _check_bees(alone)


def test_parquet_as_it_is_published(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "100K-00000-of-00001.parquet"
    parquet.write_table(arrow.Table.from_pylist([ROW, ROW | {"conversation_id": "8"}]), path)
    talks = files.read([tmp_path]).conversations
    assert [talk.id for talk in talks] == ["7", "8"]
    for talk in talks:
        _check_bees(talk)
    parquet.write_table(arrow.Table.from_pylist([{"text": "Bees."}]), path)
    with pytest.raises(InvalidInputError, match=r"parquet has text; BEAM's layout is rows of"):
        files.read([path])
    path.write_bytes(b"bees")
    with pytest.raises(InvalidInputError, match="is not Parquet"):
        files.read([path])


def test_folders_of_chats_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    chats = tmp_path / "100K"
    for name in ("10", "9", "1"):
        _beam_folder(chats, name)
    (chats / "notes").mkdir()
    talks = files.read([chats]).conversations
    assert [(talk.id, talk.source) for talk in talks] == [(n, "100K") for n in ("1", "9", "10")]
    for talk in talks:
        _check_bees(talk)
    assert list(files.digests([chats / "9"])) == [
        "9/chat.json",
        "9/probing_questions/probing_questions.json",
    ]
    assert [talk.id for talk in files.read([chats / "9"]).conversations] == ["9"]


def test_a_chat_that_is_cut_to_its_size_comes_before_the_whole(tmp_path: Path) -> None:
    folder = _beam_folder(tmp_path, "3")
    _save(folder, CHAT[:1], "chat_trunecated.json")
    (talk,) = files.read([folder]).conversations
    assert len(talk.turns) == 4
    assert next(iter(files.digests([folder]))) == "3/chat_trunecated.json"


def test_plans_of_ten_million_tokens(tmp_path: Path) -> None:
    again = [{"batch_number": 1, "turns": [[_message(4, USER, "Honey!"), _message(6, USER, "x")]]}]
    plans = [{"plan-0": CHAT, "plan-1": None}, {"plan-1": again}]
    dataset = files.read([_beam_folder(tmp_path, "2", chat=plans)])
    (talk,) = dataset.conversations
    assert [turn.id for turn in talk.turns] == ["0", "1", "2", "3", "4 at 5", "5", "4 at 7", "6"]
    sessions = list(dict.fromkeys(turn.session for turn in talk.turns))
    assert sessions == ["plan-0, 1", "plan-0, 2", "plan-1, 1"]
    # the last plan says no date: it goes on when the one before it ended
    assert talk.turns[-1].time == datetime(2024, 5, 2, tzinfo=UTC)
    assert "2, question 3: no turn '4'" in dataset.problems
    assert talk.questions[2].gold == ("2",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"chat": "Hello."}, "chat: Input should be a valid list"),
        ({"chat": ["Hello."]}, "a batch is a list of messages, not str"),
        ({"chat": [["Hello."]]}, "valid dictionary"),
        ({"chat": [[{"role": USER, "content": "Hello."}]]}, "id: Field required"),
        ({"chat": [{"plan-1": "Hello."}]}, "a chat is a list of batches, not str"),
        ({"chat": [[_message(1, USER, "Hello.", "soon")]]}, "'soon'"),
        ({"chat": []}, "turns"),
        ({"probing_questions": "bees"}, "."),
        ({"probing_questions": "[1]"}, "probing_questions hold list"),
        ({"probing_questions": {"abstention": [{"rubric": []}]}}, "question: Field required"),
        (
            {"probing_questions": {"x": [{"question": "Who?", "source_chat_ids": ["bee"]}]}},
            "'bee'",
        ),
    ],
)
def test_another_layout_of_a_row_is_named(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    path = _save(tmp_path, [ROW, ROW | changes], "beam.json")
    with pytest.raises(
        InvalidInputError, match=rf"(?s)beam\.json, row 2: .*{reason}.*BEAM's layout is rows of"
    ):
        files.read([path])


def test_a_chat_without_its_questions_is_sent_to_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"chat\.json has no questions: give BEAM's folder"):
        files.read([_beam_folder(tmp_path, "1") / "chat.json"])


def test_a_broken_file_in_a_folder_is_named(tmp_path: Path) -> None:
    folder = _beam_folder(tmp_path, "1")
    (folder / "chat.json").write_text("[")
    with pytest.raises(InvalidInputError, match=r"chat\.json is not JSON"):
        files.read([tmp_path])
    empty = tmp_path / "1" / "empty"
    empty.mkdir()
    with pytest.raises(NotFoundError, match="no file"):
        files.read([empty])


def test_layouts_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    _save(tmp_path, [_instance()], "a.json")
    _save(tmp_path, [ROW], "b.json")
    own = Conversation.model_validate({"id": "own", "turns": [{"id": "1", "text": "Hi."}]})
    (tmp_path / "c.jsonl").write_text(own.model_dump_json() + "\n")
    talks = files.read([tmp_path]).conversations
    assert [(talk.id, talk.source) for talk in talks] == [("q1", "a"), ("7", "b"), ("own", "c")]


def test_a_source_that_is_said_is_kept(tmp_path: Path) -> None:
    line = {"id": "own", "source": "diaries", "turns": [{"id": "1", "text": "Hi."}]}
    (tmp_path / "c.jsonl").write_text(json.dumps(line))
    assert files.read([tmp_path]).conversations[0].source == "diaries"
