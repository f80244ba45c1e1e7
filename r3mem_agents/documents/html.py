"""The text of an HTML page as a reader sees it, and what headings are above its parts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from importlib.util import find_spec

from r3mem_agents.documents.cutting import Block
from r3mem_agents.documents.titles import Titles
from r3mem_agents.errors import BrokenDocumentError, MissingExtraError

if find_spec("bs4") is None:
    raise MissingExtraError("beautifulsoup4", "documents")

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, XMLParsedAsHTMLWarning
from bs4.dammit import EncodingDetector
from bs4.element import NavigableString, PreformattedString, Tag
from bs4.exceptions import ParserRejectedMarkup

UNSEEN = frozenset(
    ("head", "iframe", "nav", "noscript", "object", "script", "style", "svg", "template", "title")
)
"""Elements whose text is no part of the page's."""

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
PARAGRAPHS = HEADINGS | frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "details", "dialog", "div", "dl"),
        *("fieldset", "figure", "figcaption", "footer", "form", "header", "hr", "html", "main"),
        *("ol", "p", "pre", "section", "summary", "table", "ul"),
    )
)
"""Elements that begin and end a block."""

LINES = frozenset(("br", "caption", "dd", "dt", "li", "option", "tr"))
"""Elements that begin and end a line."""

CELLS = frozenset(("td", "th"))
GAP = "\n\n"
WHITESPACE = re.compile(r"[ \t\n\r\f]+")
PERMALINKS = "\u00a7\u00b6\uf0c1"
"""Signs that generators of pages put beside a heading, to link to it."""


def html_text(page: str) -> tuple[str, list[Block]]:
    """Return the text of a page, and the blocks that it consists of.

    Of a page with one ``main`` or one ``article`` only that is read. Paragraphs are a blank line
    apart, items begin with a dash, and cells of a table are parted by bars; what is preformatted
    stays as it is.

    Args:
        page: The page.

    Raises:
        BrokenDocumentError: The parser refuses it.
        MissingExtraError: The parser is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        try:
            soup = BeautifulSoup(page, "html.parser")
        except ParserRejectedMarkup as error:
            raise BrokenDocumentError(f"it is not HTML that can be read ({error})") from None
    mains = [found for name in ("main", "article") if len(found := soup.find_all(name)) == 1]
    writing = _Writing()
    root = mains[0][0] if mains else soup
    if not root.find(HEADINGS) and soup.title:
        writing.titles.add(1, soup.title.get_text())
    for node, begins in _walk(root):
        writing.take(node, begins)
    return writing.finished()


def as_declared(data: bytes) -> str | None:
    """Return a page in the encoding that it declares; ``None`` if it is not in that, or in none.

    Args:
        data: The page.
    """
    marked = EncodingDetector.strip_byte_order_mark(data)[1]
    declared = EncodingDetector.find_declared_encoding(data, is_html=True)
    if marked or declared is None or declared.startswith("utf-16"):  # read as ASCII, so it is not
        return None
    try:
        return data.decode(declared)
    except (LookupError, UnicodeError):
        return None


def _walk(root: Tag) -> Iterator[tuple[Tag | NavigableString, bool]]:
    """Elements and texts in order, elements also where they end; those that are seen."""
    yield root, True
    path = [(root, iter(root.contents))]
    while path:
        element, children = path[-1]
        node = next(children, None)
        if node is None:
            path.pop()
            yield element, False
        elif isinstance(node, Tag):
            if node.name not in UNSEEN and not node.has_attr("hidden"):
                yield node, True
                path.append((node, iter(node.contents)))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            yield node, True


class _Writing:
    """A text as it is written, block by block."""

    def __init__(self) -> None:
        self.titles = Titles()
        self._done: list[tuple[str, Block]] = []
        self._said: list[str] = []
        self._mark = ""  # in front of what is said next
        self._pre = self._cells = 0

    def take(self, node: Tag | NavigableString, begins: bool) -> None:
        """Write a text, or take note that an element begins or ends."""
        if not isinstance(node, Tag):
            self._say(str(node))
            return
        name, step = node.name, 1 if begins else -1
        if name in CELLS:
            self._cells += step
            if begins and self._on_a_line():
                self._mark = " | "
        elif name in HEADINGS:
            self._end_block(int(name[1]) if not begins else None)
        elif name in PARAGRAPHS and not self._cells:
            self._end_block()
        elif name in PARAGRAPHS:
            self._say(" ")
        elif name in LINES:
            if self._on_a_line():
                self._said.append("\n")
            self._mark = "- " if name == "li" and begins else ""
        if name == "pre":
            self._pre += step

    def finished(self) -> tuple[str, list[Block]]:
        """The text, and its blocks."""
        self._end_block()
        blocks, start = [], 0
        for said, block in self._done:
            blocks.append(block._replace(start=start))
            start += len(said) + len(GAP)
        return GAP.join(said for said, _ in self._done), blocks or [Block(0)]

    def _on_a_line(self) -> bool:
        """Whether something is said on this line, which a blank at its end is taken off."""
        if self._said and not self._pre:
            self._said[-1] = self._said[-1].rstrip(" ")
        return bool(self._said) and not self._said[-1].endswith("\n")

    def _say(self, text: str) -> None:
        if not self._pre:
            text = WHITESPACE.sub(" ", text)
            if not self._said or self._mark or self._said[-1].endswith((" ", "\n")):
                text = text.lstrip(" ")
        if text:
            self._said.append(self._mark + text)
            self._mark = ""

    def _end_block(self, level: int | None = None) -> None:
        """End a block; with a level it was a heading."""
        said = "".join(self._said).strip("\n").rstrip()
        self._said = []
        if level is not None:
            self.titles.add(level, said.strip(PERMALINKS))
        if said:
            block = Block(0, self.titles.path, heading=level is not None)
            self._done.append((said, block))
