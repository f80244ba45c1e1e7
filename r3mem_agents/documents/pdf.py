"""The text of a PDF, page by page, and what its outline says of it."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import groupby
from typing import Any, NamedTuple

from r3mem_agents.documents.cutting import Block
from r3mem_agents.documents.titles import Titles
from r3mem_agents.errors import (
    BrokenDocumentError,
    EmptyDocumentError,
    EncryptedDocumentError,
    MissingExtraError,
)
from r3mem_agents.imports.entries import whole

if find_spec("pypdf") is None:
    raise MissingExtraError("pypdf", "documents")

from pypdf import PasswordType, PdfReader

GAP = "\n\n"
"""Between pages."""


class _Entry(NamedTuple):
    """An entry of the outline: the page, from 0, the level, from 1, and the title."""

    page: int
    level: int
    title: str


def pdf_text(data: bytes) -> tuple[str, list[Block], dict[str, int]]:
    """Return the text of a PDF, the blocks that it consists of, and what was left out.

    Args:
        data: The file.

    Raises:
        EncryptedDocumentError: It asks for a password.
        EmptyDocumentError: None of its pages has text.
        BrokenDocumentError: It cannot be read.
        MissingExtraError: The parser is not installed.
    """
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise EncryptedDocumentError("it asks for a password; save it without one first")
        pages = [whole(page.extract_text()) for page in reader.pages]
        entries = list(_outline(reader))
    except EncryptedDocumentError:
        raise
    except Exception as error:  # what pypdf meets in a damaged file may be anything
        raise BrokenDocumentError(f"the PDF cannot be read ({error})") from error
    bare = sum(not page.strip() for page in pages)
    if bare == len(pages):
        raise EmptyDocumentError(
            "none of its pages has text; if they were scanned, recognize it first, with ocrmypdf "
            "for example"
        )
    skipped = {"pages without text": bare} if bare else {}
    said = GAP.join(page for page in pages if page.strip())
    return said, list(_blocks(pages, entries)), skipped


def _blocks(pages: list[str], entries: list[_Entry]) -> Iterator[Block]:
    """The parts of each page that has text: one begins where it has the title of an entry."""
    by_page = {page: [*its] for page, its in groupby(entries, key=lambda entry: entry.page)}
    titles, start = Titles(), 0
    for number, page in enumerate(pages):
        above, begins = titles.path, 0
        for entry in by_page.get(number, ()):
            words = map(re.escape, entry.title.split())
            found = re.compile(r"\s+".join(words)).search(page, begins)
            place = page.rfind("\n", 0, found.start()) + 1 if found else begins
            if "\n" in page[begins:place].strip():  # a single line is the header of the page
                yield Block(start + begins, above, number + 1)
                begins = place
            titles.add(entry.level, entry.title)
            above = titles.path
        if not page.strip():
            continue
        yield Block(start + begins, above, number + 1)
        start += len(page) + len(GAP)


def _outline(reader: PdfReader) -> Iterator[_Entry]:
    """The entries of the outline by page; none of an outline that cannot be read."""
    try:
        entries = [*_flat(reader, reader.outline, 1)]
    except Exception as error:  # it only adds headings
        logging.getLogger(__name__).info("the outline of a PDF cannot be read: %s", error)
        return
    yield from sorted(entries, key=lambda entry: entry.page)


def _flat(reader: PdfReader, outline: list[Any], level: int) -> Iterator[_Entry]:
    for one in outline:
        if isinstance(one, list):
            yield from _flat(reader, one, level + 1)
            continue
        page = reader.get_destination_page_number(one)
        title = whole(str(one.title or ""))
        if page is not None and page >= 0 and title.strip():
            yield _Entry(page, level, title)
