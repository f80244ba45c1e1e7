"""A file as a document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from r3mem_agents.documents.document import Document
from r3mem_agents.documents.kinds import parsed
from r3mem_agents.errors import (
    BrokenDocumentError,
    DocumentError,
    InvalidInputError,
    LargeDocumentError,
    UnknownDocumentError,
)
from r3mem_agents.imports.files import File

ENDINGS: Mapping[str, str] = {
    ".htm": "html",
    ".html": "html",
    ".markdown": "markdown",
    ".md": "markdown",
    ".pdf": "pdf",
    ".rst": "text",
    ".text": "text",
    ".txt": "text",
    ".xhtml": "html",
}
"""What the endings of files say that they are."""

MAX_BYTES = 64 * 1024 * 1024
"""Bytes of a file that is read; chosen."""

HTML = re.compile(rb"\s*(?:<!doctype html|<html)\b", re.IGNORECASE)

NOT_DECODED = "neither UTF-8 nor UTF-16 text; save it as UTF-8 first"


def read_document(
    path: str | Path, data: bytes | None = None, *, name: str | None = None
) -> Document:
    """Read a file of Markdown, text, HTML or PDF.

    A PDF is known by how it begins, others by their endings; a file with another ending is read if
    it is text.

    Args:
        path: The file.
        data: What was read from it, if it has been.
        name: What a memory knows it by; ``None`` means its path, with ``~`` for the home folder, so
            that it is the same document wherever it is read from.

    Raises:
        DocumentError: It cannot be read; the class says why.
        MissingExtraError: The parser of its kind is not installed.
        OSError: The file cannot be read.
    """
    place = Path(path)
    time = None
    if data is None:
        found = place.stat()
        _check_size(found.st_size)
        data, time = place.read_bytes(), datetime.fromtimestamp(found.st_mtime, UTC)
    _check_size(len(data))
    known_as = document_name(place) if name is None else name
    kind = _kind(place, data)
    try:
        if kind == "pdf":
            from r3mem_agents.documents.pdf import pdf_text

            text, blocks, skipped = pdf_text(data)
        else:
            text, blocks = parsed(_decoded(data, kind), kind or "text")
            skipped = {}
        return Document.of_blocks(
            known_as, text, blocks, time=time, lines=kind not in ("html", "pdf"), skipped=skipped
        )
    except DocumentError as error:
        raise type(error)(f"{path}: {error}") from error.__cause__


def document_name(path: Path) -> str:
    """Return what a memory knows a file by: its whole path, with ``~`` for the home folder.

    What no text can hold of it is written as numbers, so that no two files have the same name.
    """
    full, home = path.expanduser().resolve(), Path.home().resolve()
    name = (
        f"~/{full.relative_to(home).as_posix()}" if full.is_relative_to(home) else full.as_posix()
    )
    return name.encode(errors="xmlcharrefreplace").decode()


def _kind(path: Path, data: bytes) -> str | None:
    """What a file is; ``None`` if nothing tells."""
    if data.startswith(b"%PDF-"):
        return "pdf"
    if path.suffix.lower() in ENDINGS:
        return ENDINGS[path.suffix.lower()]
    return "html" if HTML.match(data) else None


def _decoded(data: bytes, kind: str | None) -> str:
    """The text of a file: of HTML as it declares, else UTF-8 or UTF-16.

    Raises:
        UnknownDocumentError: It is none, and does not say that it is.
        BrokenDocumentError: It is none, and says that it is.
    """
    if kind == "html":
        from r3mem_agents.documents.html import as_declared

        if (page := as_declared(data)) is not None:
            return page
    try:
        text = File("text", lambda: data).text
    except InvalidInputError:
        if kind is not None:
            raise BrokenDocumentError(NOT_DECODED) from None
        text = "\0"
    if kind is None and "\0" in text:
        raise UnknownDocumentError("neither text nor HTML nor PDF")
    return text


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise LargeDocumentError(f"{size:,} bytes; documents of up to {MAX_BYTES:,} are read")
