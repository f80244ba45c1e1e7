"""The pages that a reader sees, and the blocks of code in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), ROOT / "findings" / "README.md"])

OTHER_HOSTS = {
    DOCS / "adk.md": "google.adk",
    DOCS / "agent-framework.md": "agent_framework",
    DOCS / "openai-agents.md": "agents",
    DOCS / "pydantic-ai.md": "pydantic_ai",
    DOCS / "strands.md": "strands",
}
"""Pages whose Python needs a host that has an environment of its own, and the host's module."""

_BLOCK = re.compile(r"^(<!-- not run -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code.

    Attributes:
        language: What it is written in.
        text: What is between the fences.
        runs: Whether a test can run it; a comment that no reader sees says that one cannot.
        output: What the page says that it prints: the block of text right after it, if any.
    """

    language: str
    text: str
    runs: bool
    output: str | None


def blocks(page: Path) -> list[Block]:
    """All blocks of a page but those that are the output of another."""
    text = page.read_text(encoding="utf-8")
    assert text.count("\n```") % 2 == 0, f"{page.name}: a fence that is not closed"
    found = list(_BLOCK.finditer(text))
    result: list[Block] = []
    for place, block in enumerate(found):
        after = found[place + 1] if place + 1 < len(found) else None
        adjacent = after is not None and not text[block.end() : after.start()].strip()
        output = after[3] if after is not None and adjacent and after[2] == "text" else None
        if block[2] == "text":
            before = found[place - 1] if place else None
            if before is not None and not text[before.end() : block.start()].strip():
                continue
        result.append(Block(block[2], block[3], block[1] is None, output))
    return result


def named(path: Path) -> str:
    """A page's path in the repository, for the names of tests."""
    return path.relative_to(ROOT).as_posix()
