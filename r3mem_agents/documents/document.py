"""A document, and the passages that it is cut into."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from r3mem_agents.documents.cutting import Block, Piece, cut
from r3mem_agents.documents.kinds import MAX_CHARACTERS, parsed, too_long
from r3mem_agents.errors import EmptyDocumentError, LargeDocumentError
from r3mem_agents.passages import HEADINGS, LINE, PAGE, PASSAGE, ROLE
from r3mem_agents.types import Turn

Kind = Literal["text", "markdown", "html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of a document.

    Attributes:
        text: What it says, as the document has it.
        number: Its number in the document, from 1.
        headings: The titles above it, outermost first.
        page: The page on which it begins, from 1; ``None`` where there are none.
        line: The line in which it begins, from 1; ``None`` where lines say nothing.
        metadata: What else is kept beside it; anything that JSON can hold.
    """

    text: str = field(repr=False)
    number: int
    headings: tuple[str, ...] = field(default=(), repr=False)
    page: int | None = None
    line: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part that somebody else cut a document into.

    Attributes:
        text: What it says.
        headings: The titles above it, outermost first.
        page: The page on which it begins, from 1.
        metadata: What else is to be kept beside it.
    """

    text: str = field(repr=False)
    headings: tuple[str, ...] = field(default=(), repr=False)
    page: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document.

    Attributes:
        name: By which a memory knows it, and the session that its passages are in.
        passages: Its passages in order. Their texts, joined, are the document's.
        time: When it was written; ``None`` means when it is stored.
        skipped: What was left out, and how often.
    """

    name: str
    passages: tuple[Passage, ...] = field(repr=False)
    time: datetime | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole text.

        Of Markdown and plain text it is that of the file, of HTML the text that a reader sees,
        block by block, and of a PDF that of its pages.
        """
        return "".join(passage.text for passage in self.passages)

    @classmethod
    def of_text(
        cls,
        name: str,
        text: str,
        kind: Kind = "text",
        *,
        time: datetime | None = None,
    ) -> Document:
        """Return a text as a document.

        Args:
            name: What it is called.
            text: The text.
            kind: What it is written in.
            time: When it was written.

        Raises:
            DocumentError: Nothing is said in it, or it is too long.
            MissingExtraError: The parser of its kind is not installed.
        """
        text, blocks = parsed(text, kind)
        return cls.of_blocks(name, text, blocks, time=time, lines=kind != "html")

    @classmethod
    def of_blocks(
        cls,
        name: str,
        text: str,
        blocks: Iterable[Block],
        *,
        time: datetime | None = None,
        lines: bool = False,
        skipped: Mapping[str, int] | None = None,
    ) -> Document:
        """Return a text of which it is known where its parts begin.

        Args:
            name: What the document is called.
            text: The text.
            blocks: Where its paragraphs begin, and what is known of these.
            time: When it was written.
            lines: Whether the lines of the text are those of the file.
            skipped: What was left out.

        Raises:
            DocumentError: Nothing is said in it, or it is too long.
        """
        if not text.strip():
            raise EmptyDocumentError("there is no text in it")
        if len(text) > MAX_CHARACTERS:
            raise LargeDocumentError(too_long(len(text)))
        pieces = cut(text, list(blocks))
        passages = _passages(text, pieces, lines=lines)
        return cls(name=name, passages=passages, time=time, skipped=skipped or {})

    @classmethod
    def of_parts(cls, name: str, parts: Iterable[Part]) -> Document:
        """Return parts as a document; those that are too long for a passage are cut further.

        Args:
            name: What the document is called.
            parts: Its parts in order; those without text are left out and counted.

        Raises:
            DocumentError: Nothing is said in any of them, or they are too long.
        """
        given = list(parts)
        said = [one for one in given if one.text.strip()]
        passages = list[Passage]()
        for part in said:
            _, blocks = parsed(part.text, "text")
            some = cls.of_blocks(
                name,
                part.text,
                (block._replace(headings=part.headings, page=part.page) for block in blocks),
            )
            passages += (
                replace(one, number=len(passages) + one.number, metadata=part.metadata)
                for one in some.passages
            )
        if not passages:
            raise EmptyDocumentError(f"{name}: there is no text in it")
        bare = len(given) - len(said)
        skipped = {"parts without text": bare} if bare else {}
        return cls(name=name, passages=tuple(passages), skipped=skipped)

    def turns(self) -> list[Turn]:
        """Return the passages as turns of the session that is named after the document.

        The key of one is a hash of its text, and of how many before it say the same: so a passage
        that a new version of the document still has is known again, wherever it stands there.
        """
        seen = Counter[str]()
        found = []
        for passage in self.passages:
            seen[passage.text] += 1
            whole = f"{seen[passage.text]} {passage.text}".encode(errors="surrogatepass")
            found.append(
                Turn(
                    role=ROLE,
                    text=passage.text,
                    session=self.name,
                    time=self.time,
                    metadata=_metadata(passage),
                    key=hashlib.blake2b(whole, digest_size=8).hexdigest(),
                )
            )
        return found


def _passages(text: str, pieces: Iterable[Piece], *, lines: bool) -> tuple[Passage, ...]:
    found, line, counted = [], 1, 0
    for number, piece in enumerate(pieces, 1):
        said = text[piece.start : piece.end]
        begins = piece.start + len(said) - len(said.lstrip())
        line += text.count("\n", counted, begins)
        counted = begins
        found.append(
            Passage(
                text=said,
                number=number,
                headings=piece.headings,
                page=piece.page,
                line=line if lines else None,
            )
        )
    return tuple(found)


def _metadata(passage: Passage) -> dict[str, Any]:
    known = {
        PASSAGE: passage.number,
        PAGE: passage.page,
        LINE: passage.line,
        HEADINGS: [*passage.headings] or None,
    }
    return {**passage.metadata, **{key: value for key, value in known.items() if value is not None}}
