"""LongMemEval's files (Wu et al., arXiv 2410.10813; github.com/xiaowu0162/LongMemEval)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from benchmarks.recall.conversations import Conversation, Foreign, Question, SaidTurn, reason
from r3mem_agents.errors import InvalidInputError

LAYOUT = (
    "a list of {question_id, question_type, question, answer, question_date, haystack_dates, "
    "haystack_session_ids, haystack_sessions: [[{role, content, has_answer?}]], answer_session_ids}"
)
"""The expected layout, for messages."""

UNANSWERABLE = "_abs"
"""Ending of the ids of questions without an answer in their history."""

WEEKDAY = re.compile(r"\s*\([^)]*\)")
TIME = "%Y/%m/%d %H:%M"


class _Turn(Foreign):
    role: str
    content: str
    has_answer: bool | None = None


class _Instance(Foreign):
    question_id: str
    question_type: str
    question: str
    answer: Any
    question_date: str
    haystack_dates: list[str]
    haystack_session_ids: list[str]
    haystack_sessions: list[list[_Turn]]
    answer_session_ids: list[str]


class _Session(NamedTuple):
    id: str
    time: datetime
    turns: list[_Turn]


def fits(raw: Any) -> bool:
    """Tell whether parsed JSON looks like one of LongMemEval's files."""
    return isinstance(raw, list) and any(
        isinstance(item, dict) and {"question_id", "haystack_sessions"} & item.keys()
        for item in raw
    )


def read(raw: Sequence[Any], where: str) -> list[Conversation]:
    """Its histories, a conversation each with one question, asked at its date.

    Gold are the turns that are marked to have the answer, whoever said them; where none is, any
    turn of the answer's sessions will do. Sessions are put in the order of their dates.

    Raises:
        InvalidInputError: An instance has another layout; the message says which and what is
            expected.
    """
    conversations = []
    for number, item in enumerate(raw, 1):
        try:
            conversations.append(_conversation(_Instance.model_validate(item)))
        except ValueError as error:
            raise InvalidInputError(
                f"{where}, instance {number}: {reason(error)}; LongMemEval's layout is {LAYOUT}"
            ) from None
    return conversations


def _conversation(instance: _Instance) -> Conversation:
    turns: list[SaidTurn] = []
    marked: list[str] = []
    of_answer: dict[str, list[str]] = {id_: [] for id_ in instance.answer_session_ids}
    for session in _sessions(instance):
        for number, turn in enumerate(session.turns, 1):
            said = SaidTurn(
                id=f"{session.id}:{number}",
                text=turn.content,
                role=turn.role,
                session=session.id,
                time=session.time,
            )
            turns.append(said)
            if turn.has_answer:
                marked.append(said.id)
            if session.id in of_answer:
                of_answer[session.id].append(said.id)
    # A session that is not in the history keeps its name, so that it is named as missing.
    whole = [id_ for session, ids in of_answer.items() for id_ in ids or (session,)]
    answerable = not instance.question_id.endswith(UNANSWERABLE)
    question = Question(
        question=instance.question,
        gold=tuple(marked or whole) if answerable else (),
        category=instance.question_type,
        answer=str(instance.answer),
        answerable=answerable,
        time=_time(instance.question_date),
    )
    return Conversation(
        id=instance.question_id,
        turns=tuple(turns),
        questions=(question,),
        unit="turn" if marked or not answerable else "session",
    )


def _sessions(instance: _Instance) -> list[_Session]:
    ids, dates, sessions = (
        instance.haystack_session_ids,
        instance.haystack_dates,
        instance.haystack_sessions,
    )
    if not len(ids) == len(dates) == len(sessions):
        raise ValueError(
            f"{len(sessions)} haystack_sessions, {len(ids)} haystack_session_ids and "
            f"{len(dates)} haystack_dates"
        )
    # Some histories have a session twice, at two dates.
    times = Counter(ids)
    seen: Counter[str] = Counter()
    found = []
    for id_, date, turns in zip(ids, dates, sessions, strict=True):
        seen[id_] += 1
        name = id_ if times[id_] == 1 or seen[id_] == 1 else f"{id_} ({seen[id_]})"
        found.append(_Session(name, _time(date), turns))
    return sorted(found, key=lambda session: session.time)


def _time(date: str) -> datetime:
    # 2023/05/30 (Tue) 23:40; a weekday's name would depend on the locale.
    return datetime.strptime(WEEKDAY.sub("", date), TIME).replace(tzinfo=UTC)
