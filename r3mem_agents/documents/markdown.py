"""Where the blocks of a Markdown document begin, and what headings are above them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec

from r3mem_agents.documents.cutting import Block
from r3mem_agents.documents.titles import Titles
from r3mem_agents.errors import MissingExtraError

if find_spec("markdown_it") is None:
    raise MissingExtraError("markdown-it-py", "documents")

from markdown_it import MarkdownIt
from markdown_it.token import Token

END = r"(?>\r\n?|\n)"
LINE = re.compile(END)
FRONT_MATTER = re.compile(rf"\A---[ \t]*{END}(?:[^\r\n]*{END})*?---[ \t]*(?:{END}|\Z)")
"""What generators of sites keep before a text; Markdown would take it for a heading."""


def markdown_blocks(text: str) -> list[Block]:
    """Return the blocks of a Markdown document, by where they start in its text.

    Args:
        text: The document, in CommonMark with tables.

    Raises:
        MissingExtraError: The parser is not installed.
    """
    front = FRONT_MATTER.match(text)
    skipped = front.end() if front else 0
    starts = [skipped, *(found.end() for found in LINE.finditer(text, skipped))]
    blocks, titles = [Block(0)], Titles()
    tokens = MarkdownIt("commonmark").enable("table").parse(text[skipped:])
    for number, token in enumerate(tokens):
        if token.level or token.nesting < 0 or token.map is None:
            continue
        heading = token.type == "heading_open"
        if heading:
            titles.add(int(token.tag[1:]), _title(tokens[number + 1]))
        blocks.append(Block(starts[token.map[0]], titles.path, heading=heading))
    return blocks


def _title(line: Token) -> str:
    """What a heading says, without its markup."""
    return "".join(_said(line.children or ()))


def _said(tokens: Sequence[Token]) -> list[str]:
    return [
        " " if one.type in ("softbreak", "hardbreak") else one.content
        for one in tokens
        if one.type in ("text", "code_inline", "softbreak", "hardbreak", "text_special")
    ]
