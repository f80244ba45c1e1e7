"""Documents with questions about them, made of manuals whose headings are questions.

    python examples/recipes/faq_documents.py OUT FILE.html ...

writes each page as Markdown into OUT, without the headings that end with a question mark, and
``questions.jsonl``: those headings, and the blocks that stood below each. ``index.html`` is left
out. Pages of Sphinx, ``pod2html``, DocBook, Texinfo and SQLite are known;
benchmarks/documents/README.md says which were measured with.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = {"p", "li", "dt", "dd", "pre", "td", "div", "ul", "ol", "dl", "table", "section", "body"}
"""Tags that begin a new block, or end one."""

SKIPPED_TAGS = {"head", "script", "style", "nav"}
SKIPPED_ROLES = {"contentinfo", "navigation", "search"}
SKIPPED_NAMES = {
    "toc", "index", "contents", "header", "headerlink", "navheader", "navfooter", "nav", "related",
    "sphinxsidebar", "sidebar", "hd", "ft", "footer", "menu", "tagline", "searchmenu", "fancy_toc",
}  # fmt: skip
"""Classes and ids of what a page says about itself."""

VOID = {"br", "hr", "img", "input", "link", "meta", "col", "wbr"}
QUESTION = re.compile(r"[?？](\s*\([^()]*\))?$")
NUMBER = re.compile(r"^(Chapter |Kapitel |Chapitre )?[\d.]+\s+")


class Block(NamedTuple):
    """A heading (level 1 to 6), a paragraph (0), an item of a list (-1), or code (-2)."""

    level: int
    text: str


ITEM, CODE = -1, -2


@dataclass
class Page(HTMLParser):
    """The blocks of a page, in order."""

    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin outside of everything."""
        super().__init__()
        self._level = 0
        self._parts: list[str] = []
        self._skipped = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block, or skip what the page says about itself."""
        if self._skipped:
            self._depth += tag == self._skipped
            return
        said = {key: (value or "").lower() for key, value in attrs}
        names = {*said.get("class", "").split(), *said.get("id", "").split()}
        if said.get("role") == "main":
            self._close()
            self.blocks.clear()
        other = tag in SKIPPED_TAGS or said.get("role") in SKIPPED_ROLES
        if other or (names & SKIPPED_NAMES and tag not in {*VOID, "section"}):
            self._skipped, self._depth = tag, 1
        elif tag in HEADINGS or "fancy_title" in names:
            self._close()
            self._level = HEADINGS.get(tag, 1)
        elif tag in BLOCKS:
            self._close()
            self._level = CODE if tag == "pre" else ITEM if tag == "li" else 0
        elif tag == "br":
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a block."""
        if self._skipped:
            self._depth -= tag == self._skipped
            self._skipped = self._skipped if self._depth else ""
        elif tag in HEADINGS or tag in BLOCKS:
            self._close()

    def handle_data(self, data: str) -> None:
        """Read text."""
        if not self._skipped:
            self._parts.append(data)

    def _close(self) -> None:
        text = "".join(self._parts)
        text = text.strip("\n") if self._level == CODE else " ".join(text.split())
        if text.strip():
            self.blocks.append(Block(self._level, text))
        self._parts, self._level = [], 0


class Asked(NamedTuple):
    """A heading that asks, and the blocks below it."""

    question: str
    answer: list[str]


def split(blocks: list[Block]) -> tuple[list[Block], list[Asked]]:
    """The page without its questions, and the questions."""
    kept: list[Block] = []
    asked: list[Asked] = []
    level = 0
    for block in blocks:
        text = NUMBER.sub("", block.text)
        if block.level > 0 and (not level or block.level <= level):
            level = 0
            if QUESTION.search(text) and kept:
                level = block.level
                asked.append(Asked(text, []))
                continue
        if level and block.level <= 0:
            asked[-1].answer.append(block.text)
        kept.append(Block(block.level, text) if block.level > 0 else block)
    return kept, [one for one in asked if one.answer]


def markdown(blocks: list[Block]) -> str:
    """Blocks as Markdown."""
    return "\n\n".join(_written(block) for block in blocks) + "\n"


def _written(block: Block) -> str:
    if block.level == CODE:
        return f"```\n{block.text}\n```"
    if block.level == ITEM:
        return f"- {block.text}"
    return f"{'#' * block.level} {block.text}" if block.level else block.text


def main(out: Path, pages: list[Path]) -> None:
    """Convert the pages of one set."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "questions.jsonl").open("w", encoding="utf-8") as file:
        for path in pages:
            if path.name.startswith("index."):
                continue
            page = Page()
            page.feed(path.read_text(encoding="utf-8"))
            page.close()
            kept, asked = split(page.blocks)
            name = f"{path.name.split('.')[0]}.md"
            (out / name).write_text(markdown(kept), encoding="utf-8")
            for question, answer in asked:
                record = {"question": question, "document": name, "answer": answer}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
