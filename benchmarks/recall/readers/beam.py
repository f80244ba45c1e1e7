"""BEAM's files (Tavakoli et al., arXiv 2510.27246; github.com/mohammadtavakoli78/BEAM)."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.errors import MissingPackageError
from benchmarks.recall.conversations import Conversation, Foreign, Question, SaidTurn, reason
from r3mem_agents.errors import InvalidInputError

LAYOUT = (
    "rows of {conversation_id, chat, probing_questions}, or folders with chat.json and "
    "probing_questions/probing_questions.json; a chat is a list of batches, a batch a list of "
    "{role, id, content, time_anchor?} or {turns: [[...]]}, and questions are {ability: "
    "[{question, source_chat_ids}]}"
)
"""The expected layout, for messages."""

UNANSWERABLE = "abstention"
"""The ability whose questions have no answer in the chat."""

CHATS = ("chat_trunecated.json", "chat.json")
"""A folder's chat: what is cut to its size, as its authors spell it, or else the whole."""

QUESTIONS = Path("probing_questions", "probing_questions.json")
COLUMNS = ["conversation_id", "chat", "probing_questions"]
TIME = "%B-%d-%Y"


class _Row(Foreign):
    conversation_id: str | int
    chat: list[Any]
    probing_questions: str | dict[str, list[Any]]


class _Message(Foreign):
    role: str
    id: int
    content: str
    time_anchor: str | None = None


class _Probe(Foreign):
    question: str
    source_chat_ids: Any = None
    answer: Any = None
    ideal_answer: Any = None
    ideal_response: Any = None
    ideal_summary: Any = None

    @property
    def right(self) -> str | None:
        """The answer, which has another name with some abilities."""
        names = (self.answer, self.ideal_answer, self.ideal_response, self.ideal_summary)
        return next((str(name) for name in names if name), None)


class _Said(NamedTuple):
    batch: str
    message: _Message


def fits(raw: Any) -> bool:
    """Tell whether parsed JSON looks like rows of BEAM, or one row."""
    rows = raw if isinstance(raw, list) else [raw]
    return any(
        isinstance(row, dict) and {"chat", "probing_questions"} <= row.keys() for row in rows
    )


def is_chat(raw: Any) -> bool:
    """Tell whether parsed JSON is the chat of a folder, which has its questions beside it."""
    return (
        isinstance(raw, list)
        and bool(raw)
        and all(isinstance(item, dict) and {"batch_number", "turns"} <= item.keys() for item in raw)
    )


def folders(path: Path) -> list[Path]:
    """The folders of chats: a folder itself, or those in it, in the order of their numbers."""
    if _has_chat(path):
        return [path]
    found = [item for item in path.iterdir() if item.is_dir() and _has_chat(item)]
    return sorted(found, key=lambda item: (not item.name.isdigit(), len(item.name), item.name))


def files_of(folder: Path) -> list[Path]:
    """The two files of a chat's folder that are read."""
    chat = next(folder / name for name in CHATS if (folder / name).is_file())
    return [chat, folder / QUESTIONS]


def read_folder(folder: Path) -> Conversation:
    """The conversation of a chat's folder.

    Raises:
        InvalidInputError: A file is not JSON or has another layout.
    """
    parts = []
    for path in files_of(folder):
        try:
            parts.append(json.loads(path.read_bytes()))
        except ValueError as error:
            raise InvalidInputError(f"{path} is not JSON: {error}") from None
    chat, probes = parts
    row = {"conversation_id": folder.name, "chat": chat, "probing_questions": probes}
    (conversation,) = read(row, str(folder))
    return conversation


def read_parquet(path: Path) -> list[Conversation]:
    """The conversations of a Parquet file, as the data set is published.

    Raises:
        InvalidInputError: It is no Parquet, or has another layout.
        MissingPackageError: pyarrow is not installed.
    """
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError as error:
        raise MissingPackageError("pyarrow", "bench") from error
    try:
        columns = parquet.read_schema(path).names
    except ArrowInvalid as error:
        raise InvalidInputError(f"{path} is not Parquet: {error}") from None
    if not set(COLUMNS) <= set(columns):
        raise InvalidInputError(f"{path} has {', '.join(columns)}; BEAM's layout is {LAYOUT}")
    return read(parquet.read_table(path, columns=COLUMNS).to_pylist(), str(path))


def read(raw: Any, where: str) -> list[Conversation]:
    """The conversations of rows, or of one row.

    A turn is a message as it is stored, with the date of its batch; a session is a batch. Gold are
    the messages that a question names as its sources.

    Raises:
        InvalidInputError: A row has another layout; the message says which and what is expected.
    """
    conversations = []
    for number, row in enumerate(raw if isinstance(raw, list) else [raw], 1):
        try:
            conversations.append(_conversation(_Row.model_validate(row)))
        except (ValueError, TypeError) as error:
            raise InvalidInputError(
                f"{where}, row {number}: {reason(error)}; BEAM's layout is {LAYOUT}"
            ) from None
    return conversations


def _has_chat(folder: Path) -> bool:
    return (folder / QUESTIONS).is_file() and any((folder / name).is_file() for name in CHATS)


def _conversation(row: _Row) -> Conversation:
    said = list(_said(row.chat, ""))
    known = Counter(one.message.id for one in said)
    times = _times(said)
    return Conversation(
        id=str(row.conversation_id),
        turns=tuple(
            SaidTurn(
                id=_name(one.message.id, place, known[one.message.id]),
                text=one.message.content,
                role=one.message.role,
                session=one.batch,
                time=time,
            )
            for place, (one, time) in enumerate(zip(said, times, strict=True), 1)
        ),
        questions=tuple(_questions(row.probing_questions)),
    )


def _name(id_: int, place: int, times: int) -> str:
    # An id that several messages have is the name of none.
    return str(id_) if times == 1 else f"{id_} at {place}"


def _said(chat: Any, within: str) -> Iterator[_Said]:
    if not isinstance(chat, list):
        raise ValueError(f"a chat is a list of batches, not {type(chat).__name__}")
    for number, batch in enumerate(chat, 1):
        name = f"{within}{number}"
        if isinstance(batch, dict) and "turns" not in batch:
            # Ten million tokens: a list of plans, each a list of batches by its name.
            for plan, batches in batch.items():
                if batches is not None:
                    yield from _said(batches, f"{plan}, ")
            continue
        for message in _flat(batch["turns"] if isinstance(batch, dict) else batch):
            yield _Said(name, _Message.model_validate(message))


def _flat(messages: Any) -> Iterator[Any]:
    if not isinstance(messages, list):
        raise ValueError(f"a batch is a list of messages, not {type(messages).__name__}")
    for one in messages:
        if isinstance(one, list):
            yield from _flat(one)
        else:
            yield one


def _times(said: Sequence[_Said]) -> list[datetime | None]:
    # Only the first message of a batch says when it was.
    anchors = [one.message.time_anchor for one in said]
    time = next((_time(anchor) for anchor in anchors if anchor), None)
    times = []
    for anchor in anchors:
        time = _time(anchor) if anchor else time
        times.append(time)
    return times


def _time(anchor: str) -> datetime:
    return datetime.strptime(anchor, TIME).replace(tzinfo=UTC)


def _questions(probes: str | Mapping[str, list[Any]]) -> Iterator[Question]:
    if isinstance(probes, str):
        probes = _parsed(probes)
    for ability, items in probes.items():
        for item in items:
            probe = _Probe.model_validate(item)
            answerable = ability != UNANSWERABLE
            yield Question(
                question=probe.question,
                gold=tuple(map(str, _ids(probe.source_chat_ids))) if answerable else (),
                category=ability,
                answer=probe.right,
                answerable=answerable,
            )


def _parsed(probes: str) -> Mapping[str, list[Any]]:
    # The published rows hold what Python prints of a dictionary.
    try:
        found = ast.literal_eval(probes)
    except (ValueError, SyntaxError):
        found = json.loads(probes)
    if not isinstance(found, dict):
        raise ValueError(f"probing_questions hold {type(found).__name__}")
    return found


def _ids(sources: Any) -> Iterator[int]:
    # Lists, lists in lists, and dictionaries of them.
    if isinstance(sources, dict):
        sources = list(sources.values())
    if isinstance(sources, list):
        for one in sources:
            yield from _ids(one)
    elif sources is not None:
        yield int(sources)
