"""A file, or the files of a folder, into a memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from r3mem_agents.documents.document import Document
from r3mem_agents.documents.reading import ENDINGS, read_document
from r3mem_agents.documents.storing import Stored, remember_document
from r3mem_agents.errors import DocumentError, UnknownDocumentError
from r3mem_agents.imports.archives import paths_under
from r3mem_agents.memory import CompressiveMemory

Progress = Callable[[str, int, int], None]
"""Is told what is done, ``reading`` or ``compressing``, how much of it, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What became of a file, or of the files of a folder.

    Attributes:
        documents: What storing each of them did, by name.
        refused: Why others cannot be read, by path.
        skipped: What else was left out, and how often.
    """

    documents: Mapping[str, Stored]
    refused: Mapping[str, DocumentError] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)


def remember_files(
    memory: CompressiveMemory, path: str | Path, *, progress: Progress | None = None
) -> Remembered:
    """Store a document, or those of a folder and of the folders in it.

    All of them are read before the first is stored. Of a folder, files that are no documents and
    what is hidden (its name begins with a dot) are left out, and documents that cannot be read are
    told of. What was stopped goes on when it is done again.

    Args:
        memory: The memory.
        path: The file or the folder.
        progress: Is told how far it is.

    Raises:
        DocumentError: It is a file and cannot be read, or a folder without a document that can.
        OSError: It cannot be read.
        StoreError: If something could not be written; what is before it is stored then.
    """
    place, told = Path(path), progress or _untold
    skipped = Counter[str]()
    refused: dict[str, DocumentError] = {}
    if place.is_dir():
        documents = _of_folder(place, told, refused, skipped)
    else:
        documents = [read_document(place)]
    stored, done, whole = {}, 0, sum(len(one.passages) for one in documents)
    for document in documents:

        def show(passages: int, _: int, before: int = done) -> None:
            told("compressing", before + passages, whole)

        stored[document.name] = remember_document(memory, document, progress=show)
        skipped.update(document.skipped)
        done += len(document.passages)
    return Remembered(documents=stored, refused=refused, skipped=dict(skipped))


def _untold(what: str, done: int, whole: int) -> None:
    """Tell nobody."""


def _of_folder(
    folder: Path, told: Progress, refused: dict[str, DocumentError], skipped: Counter[str]
) -> list[Document]:
    """The documents of a folder; what else is in it is counted."""
    paths = [one for one in paths_under(folder) if not _hidden(one.relative_to(folder))]
    wanted = [one for one in paths if one.suffix.lower() in ENDINGS]
    documents = []
    for number, path in enumerate(wanted, 1):
        try:
            documents.append(read_document(path))
        except DocumentError as error:
            refused[str(path)] = error
        told("reading", number, len(wanted))
    if not documents:
        why = f" ({next(iter(refused.values()))})" if refused else ""
        raise UnknownDocumentError(
            f"{folder}: there is no document in it that can be read{why}; documents are files that "
            f"end in {', '.join(ENDINGS)}"
        )
    if others := len(paths) - len(wanted):
        skipped["files that are no documents"] = others
    return documents


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
