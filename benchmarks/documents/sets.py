"""Documents with questions about them, in a folder (benchmarks/documents/README.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from benchmarks.documents.overlap import overlap, runs
from benchmarks.recall.conversations import Name, Record, SaidTurn, reason
from r3mem_agents.documents import Document, read_document
from r3mem_agents.documents.reading import ENDINGS
from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.passages import found_by
from r3mem_agents.types import Turn

QUESTIONS = "questions.jsonl"


class Line(Record):
    """A line of ``questions.jsonl``.

    Attributes:
        question: The question.
        document: The file that answers it, relative to the file of questions.
        answer: What answers it there, in the document's words; markup may be left out.
    """

    question: Name
    document: Name
    answer: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the ids of the passages that answer it."""

    question: str
    gold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentSet:
    """Documents that one memory holds, and questions about them.

    Attributes:
        name: Name of the folder.
        documents: The documents, named by their paths in it.
        questions: Those that a passage answers.
        problems: What was left out, one sentence each.
    """

    name: str
    documents: tuple[Document, ...]
    questions: tuple[Asked, ...]
    problems: tuple[str, ...]

    @property
    def passages(self) -> list[SaidTurn]:
        """The passages as peers get them: document and headings stand where a speaker would."""
        return [
            SaidTurn(
                id=passage_id(document.name, number),
                text=turn.text,
                speaker=" > ".join(_above(turn)),
                role=turn.role,
                session=document.name,
            )
            for document in self.documents
            for number, turn in enumerate(document.turns(), 1)
        ]

    @property
    def text_bytes(self) -> int:
        """Size of all documents as UTF-8."""
        return sum(len(document.text.encode()) for document in self.documents)


def passage_id(document: str, number: int) -> str:
    """Return what a passage is called in rankings."""
    return f"{document} {number}"


def read(folder: Path) -> DocumentSet:
    """Read a set.

    Raises:
        InvalidInputError: A line is not a question.
        NotFoundError: There is no such folder, or no question in it.
        DocumentError: A document cannot be read.
    """
    files = sorted(folder.rglob(QUESTIONS)) if folder.is_dir() else []
    if not files:
        raise NotFoundError(f"no {QUESTIONS} in {folder}")
    paths = sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS)
    documents = {
        path.relative_to(folder).as_posix(): read_document(
            path, name=path.relative_to(folder).as_posix()
        )
        for path in paths
    }
    said = {
        name: [runs([passage.text]) for passage in document.passages]
        for name, document in documents.items()
    }
    asked, problems = [], []
    for file in files:
        for where, line in _lines(file, folder):
            name = (file.parent / line.document).relative_to(folder).as_posix()
            if name not in documents:
                raise InvalidInputError(f"{where}: there is no document {name}")
            answer = runs(line.answer)
            gold = tuple(
                passage_id(name, number)
                for number, passage in enumerate(said[name], 1)
                if overlap(passage, answer)
            )
            if gold:
                asked.append(Asked(line.question, gold))
            else:
                problems.append(f"{where}: no passage answers it, so it is left out")
    return DocumentSet(folder.name, tuple(documents.values()), tuple(asked), tuple(problems))


def files_of(folders: Sequence[Path]) -> list[Path]:
    """Return all files of sets that are read."""
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.name == QUESTIONS or path.suffix in ENDINGS
    )


def _above(turn: Turn) -> list[str]:
    return found_by(turn.role, turn.session or "", turn.metadata or {}).split("\n")


def _lines(file: Path, folder: Path) -> Iterator[tuple[str, Line]]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{file.relative_to(folder.parent).as_posix()}, line {number}"
        try:
            yield where, Line.model_validate_json(line)
        except ValidationError as error:
            raise InvalidInputError(f"{where} is not a question: {reason(error)}") from None
