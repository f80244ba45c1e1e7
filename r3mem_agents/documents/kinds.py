"""The kinds of texts that documents are written in, and what reads each of them."""

from __future__ import annotations

import re

from r3mem_agents.documents.cutting import Block
from r3mem_agents.errors import InvalidInputError, LargeDocumentError

MAX_CHARACTERS = 16_000_000
"""Characters of a document; chosen."""

KINDS = ("text", "markdown", "html")

PARAGRAPH_END = re.compile(r"\n(?:[ \t\r]*\n)+")


def too_long(length: int) -> str:
    """Say that a document has too many characters."""
    return f"{length:,} characters; up to {MAX_CHARACTERS:,} are read: cut it into several"


def parsed(text: str, kind: str) -> tuple[str, list[Block]]:
    """Return the text of a document, and the blocks that it consists of.

    Args:
        text: What it is written as.
        kind: What it is written in, one of ``KINDS``.

    Raises:
        InvalidInputError: The kind is another one.
        MissingExtraError: The parser is not installed.
        BrokenDocumentError: The parser refuses it.
        LargeDocumentError: It is too long.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"text must be a str, not {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise LargeDocumentError(too_long(len(text)))
    if kind == "html":
        from r3mem_agents.documents.html import html_text

        return html_text(text)
    if kind == "markdown":
        from r3mem_agents.documents.markdown import markdown_blocks

        return text, markdown_blocks(text)
    if kind == "text":
        return text, [Block(0), *(Block(gap.end()) for gap in PARAGRAPH_END.finditer(text))]
    raise InvalidInputError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
