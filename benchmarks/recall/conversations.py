"""Conversations with questions about them: the open format of docs/recall.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from benchmarks.errors import MissingPackageError
from r3mem_agents.errors import InvalidInputError

try:
    from pydantic import (
        AfterValidator,
        BaseModel,
        ConfigDict,
        Field,
        ValidationError,
        model_validator,
    )
except ImportError as error:
    raise MissingPackageError("pydantic", "bench") from error

STAND_IN_START = datetime(2000, 1, 1, tzinfo=UTC)
"""If no times are given, session ``n`` gets day ``n`` and turn ``m`` minute ``m`` from this
time."""

Name = Annotated[str, Field(min_length=1, coerce_numbers_to_str=True)]
Moment = Annotated[
    datetime, AfterValidator(lambda time: time if time.tzinfo else time.replace(tzinfo=UTC))
]


class Record(BaseModel):
    """A record of ours: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Foreign(BaseModel):
    """A record of another layout than ours, which may have additional fields."""

    model_config = ConfigDict(frozen=True)


class SaidTurn(Record):
    """One turn.

    Attributes:
        id: Name that questions use; unique in its conversation.
        text: The text.
        speaker: Name of the speaker.
        role: Role of the speaker.
        session: The session it belongs to.
        time: When it was said; UTC where no zone is given.
    """

    id: Name
    text: str
    speaker: Name | None = None
    role: Name = "user"
    session: Name = "1"
    time: Moment | None = None


class Question(Record):
    """One question about a conversation.

    Attributes:
        question: The question.
        gold: Ids of the turns that answer it.
        rivals: Ids of similar turns about another time or thing; gold belongs before them.
        category: Category that figures are reported by.
        answer: The answer; kept, not used.
        answerable: Whether the conversation answers it.
        time: When it is asked, UTC where no zone is given; immediately after the last turn if left
            out.
    """

    question: Annotated[str, Field(min_length=1)]
    gold: tuple[Name, ...] = ()
    rivals: tuple[Name, ...] = ()
    category: Name | None = None
    answer: str | None = None
    answerable: bool = True
    time: Moment | None = None

    @property
    def counted(self) -> bool:
        """Whether recall can be measured with it."""
        return self.answerable and bool(self.gold)


class Conversation(Record):
    """One line of a file: the turns in order, and the questions.

    Attributes:
        id: Its name in messages.
        turns: Turns in the order in which they were said.
        questions: Questions about them.
        unit: What answers a question: its gold turns, or any turn of their sessions.
        source: What figures are reported by besides categories; the file's name if left out.
    """

    id: Name
    turns: Annotated[tuple[SaidTurn, ...], Field(min_length=1)]
    questions: tuple[Question, ...] = ()
    unit: Literal["turn", "session"] = "turn"
    source: Name | None = None

    @model_validator(mode="after")
    def _turns_differ(self) -> Self:
        seen: set[str] = set()
        for turn in self.turns:
            if turn.id in seen:
                raise ValueError(f"two turns have the id {turn.id!r}")
            seen.add(turn.id)
        return self


@dataclass(frozen=True, slots=True)
class Dataset:
    """Conversations to measure with.

    Attributes:
        conversations: Conversations whose every turn has a time and whose gold turns all exist.
        problems: What was wrong and left out, one sentence each.
    """

    conversations: tuple[Conversation, ...]
    problems: tuple[str, ...]


def parse(line: bytes | str, where: str) -> Conversation:
    """Read one conversation from JSON.

    Args:
        line: A JSON object.
        where: File and line, for the message.

    Raises:
        InvalidInputError: It is not a conversation; the message says where and why.
    """
    try:
        return Conversation.model_validate_json(line)
    except ValidationError as error:
        raise InvalidInputError(f"{where} is not a conversation: {reason(error)}") from None


def reason(error: Exception) -> str:
    """Return the first invalid field of a record, and the reason."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


def settle(conversations: Sequence[Conversation]) -> Dataset:
    """Leave out gold turns and rivals that do not exist, fill in times, name what was wrong."""
    problems: list[str] = []
    settled = []
    for conversation in conversations:
        known = {turn.id for turn in conversation.turns}
        questions = []
        for number, question in enumerate(conversation.questions, 1):
            said = f"{conversation.id}, question {number}"
            named = (*question.gold, *question.rivals)
            problems += [f"{said}: no turn {id_!r}" for id_ in named if id_ not in known]
            gold, rivals = (
                tuple(dict.fromkeys(id_ for id_ in ids if id_ in known))
                for ids in (question.gold, question.rivals)
            )
            if question.answerable and not gold:
                problems.append(f"{said}: no gold turn, so it is left out of recall")
            questions.append(question.model_copy(update={"gold": gold, "rivals": rivals}))
        update = {"turns": _timed(conversation.turns), "questions": tuple(questions)}
        settled.append(conversation.model_copy(update=update))
    return Dataset(tuple(settled), tuple(problems))


def _timed(turns: tuple[SaidTurn, ...]) -> tuple[SaidTurn, ...]:
    if all(turn.time is not None for turn in turns):
        return turns
    days = {session: day for day, session in enumerate(dict.fromkeys(t.session for t in turns))}
    return tuple(
        turn.model_copy(
            update={"time": STAND_IN_START + timedelta(days=days[turn.session], minutes=minute)}
        )
        for minute, turn in enumerate(turns)
    )
