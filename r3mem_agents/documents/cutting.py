"""Where a text is cut into passages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_CHARACTERS = 1_000
"""Characters of a passage; chosen."""

BOUNDARIES = (
    re.compile(r"\n[ \t\r]*\n"),
    re.compile(r"[.!?\u2026][\"')\]\u201d\u2019]*\s+|[\u3002\uff01\uff1f]"),
    re.compile(r"\n"),
    re.compile(r"\s+"),
)
"""Ends of paragraphs, sentences, lines and words: after the first kind of which one stands in the
second half of a passage a long text is cut."""


class Block(NamedTuple):
    """A paragraph, a list, a heading: it goes on to where the next one starts.

    Attributes:
        start: Where it starts.
        headings: The titles above it, or that it is the last of.
        page: The page that it is on.
        heading: Whether it is a heading.
    """

    start: int
    headings: tuple[str, ...] = ()
    page: int | None = None
    heading: bool = False


class Piece(NamedTuple):
    """A passage: where it starts and ends, and what is above it."""

    start: int
    end: int
    headings: tuple[str, ...]
    page: int | None


def cut(text: str, blocks: Sequence[Block]) -> list[Piece]:
    """Cut a text into passages: blocks under one heading together, as far as they are short.

    A heading goes with what it is above. The passages cover the whole text.

    Args:
        text: The text.
        blocks: What it consists of, by where they start; whatever is before the first belongs to
            it.
    """
    starts = [0, *(block.start for block in blocks[1:])]
    pieces: list[Piece] = []
    bare = False  # whether the last piece has nothing but headings
    for block, start, end in zip(blocks, starts, [*starts[1:], len(text)], strict=True):
        if start == end:
            continue
        if pieces and _joins(pieces[-1], block, end, bare):
            pieces[-1] = Piece(pieces[-1].start, end, block.headings, block.page)
            bare = bare and block.heading
            continue
        for edge in [*_edges(text, start, end), end]:
            pieces.append(Piece(start, edge, block.headings, block.page))
            start = edge
        bare = block.heading
    return pieces


def _joins(last: Piece, block: Block, end: int, bare: bool) -> bool:
    """Whether a block that ends there goes into the last piece."""
    one_section = last.headings == block.headings or bare
    return one_section and last.page == block.page and end - last.start <= MAX_CHARACTERS


def _edges(text: str, start: int, end: int) -> Iterator[int]:
    """Where a text that is too long for one passage is cut; no part is much shorter than others."""
    while end - start > MAX_CHARACTERS:
        size = min(MAX_CHARACTERS, 2 * (end - start) // 3)
        start += _boundary(text[start : start + size])
        yield start


def _boundary(window: str) -> int:
    """Where a passage ends that begins with a text and must not be longer."""
    for boundary in BOUNDARIES:
        ends = [found.end() for found in boundary.finditer(window, len(window) // 2)]
        if ends:
            return ends[-1]
    return len(window)
