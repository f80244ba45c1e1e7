"""A file, or the files of a folder, into a memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from r3mem_agents.documents.document import Document
from r3mem_agents.documents.reading import ENDINGS, read_document
from r3mem_agents.documents.storing import Stored, remember_document
from r3mem_agents.errors import DocumentError, InvalidInputError, UnknownDocumentError
from r3mem_agents.imports.archives import paths_under
from r3mem_agents.memory import CompressiveMemory

Progress = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a file or a folder holds.

    Attributes:
        documents: Its documents.
        refused: Why others cannot be read, by path.
        skipped: What else is left out, and how often.
    """

    documents: Sequence[Document]
    refused: Mapping[str, DocumentError | OSError]
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What became of a file, or of the files of a folder.

    Attributes:
        documents: What storing each of them did, by name.
        refused: Why others cannot be read, by path.
        skipped: What else was left out, and how often.
    """

    documents: Mapping[str, Stored]
    refused: Mapping[str, DocumentError | OSError]
    skipped: Mapping[str, int]


def remember_files(memory: CompressiveMemory, path: str | Path) -> Remembered:
    """Store a document, or those of a folder and of the folders in it.

    All of them are read before the first is stored. Of a folder, files that are no documents and
    what is hidden (its name begins with a dot) are left out, and documents that cannot be read are
    told of. What was stopped goes on when it is done again.

    Args:
        memory: The memory.
        path: The file or the folder.

    Raises:
        InvalidInputError: The path is empty.
        DocumentError: It is a file that cannot be read, or a folder without a document that can.
        MissingExtraError: The parser of a document is not installed.
        OSError: The system refuses the file; of a folder it is one of those told of.
        StoreError: If something could not be written; what is before it is stored then.
    """
    found = find_documents(path)
    stored = store_documents(memory, found.documents)
    return Remembered(documents=stored, refused=found.refused, skipped=found.skipped)


def find_documents(path: str | Path, *, progress: Progress | None = None) -> Found:
    """Read a document, or those of a folder, as ``remember_files`` does.

    Args:
        path: The file or the folder.
        progress: Is told how many files are read, and of how many.

    Raises:
        InvalidInputError: The path is empty.
        DocumentError: It is a file that cannot be read, or a folder without a document that can.
        MissingExtraError: The parser of a document is not installed.
        OSError: The system refuses the file; of a folder it is one of those told of.
    """
    if path == "":  # which pathlib takes for the folder that one is in
        raise InvalidInputError("the path is empty; give that of a file or a folder")
    place, skipped = Path(path), Counter[str]()
    if not place.is_dir():
        document = read_document(place)
        return Found(documents=[document], refused={}, skipped=document.skipped)
    paths = [one for one in paths_under(place) if not _hidden(one.relative_to(place))]
    wanted = [one for one in paths if one.suffix.lower() in ENDINGS]
    documents, refused = dict[str, Document](), dict[str, DocumentError | OSError]()
    for number, one in enumerate(wanted, 1):
        try:
            document = read_document(one)
            documents.setdefault(document.name, document)  # links may lead to one file twice
        except (DocumentError, OSError) as error:
            refused[str(one)] = error
        if progress is not None:
            progress(number, len(wanted))
    if not documents:
        why = f"; {next(iter(refused.values()))}" if refused else ""
        raise UnknownDocumentError(
            f"{path}: there is no document in it that can be read{why}. Documents are files that "
            f"end in {', '.join(ENDINGS)}"
        )
    for document in documents.values():
        skipped.update(document.skipped)
    if others := len(paths) - len(wanted):
        skipped["other files"] = others
    return Found(documents=[*documents.values()], refused=refused, skipped=skipped)


def store_documents(
    memory: CompressiveMemory, documents: Sequence[Document], *, progress: Progress | None = None
) -> dict[str, Stored]:
    """Store documents one after another, and return what that did, by name.

    Args:
        memory: The memory.
        documents: The documents.
        progress: Is told how many passages are stored, and of how many.

    Raises:
        StoreError: If something could not be written; what is before it is stored then.
    """
    stored = dict[str, Stored]()
    whole, before = sum(len(one.passages) for one in documents), 0

    def show(done: int, _: int) -> None:
        if progress is not None:
            progress(before + done, whole)

    for document in documents:
        stored[document.name] = remember_document(memory, document, progress=show)
        before += len(document.passages)
    return stored


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
