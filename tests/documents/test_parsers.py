"""Parsers are loaded when a document of their kind is read, and named where they are missing."""

from __future__ import annotations

import pytest

from tests.new_process import loaded, run

READ = "from r3mem_agents.documents import read_document\nread_document('a.{}', {!r})"


@pytest.mark.parametrize(
    ("ending", "data", "parser", "package"),
    [
        ("md", b"# Cats", "markdown_it", "markdown-it-py"),
        ("html", b"<h1>Cats", "bs4", "beautifulsoup4"),
        ("pdf", b"%PDF-1.4", "pypdf", "pypdf"),
    ],
)
def test_a_missing_parser_is_named(ending: str, data: bytes, parser: str, package: str) -> None:
    code = "\n ".join(["try:", *READ.format(ending, data).split("\n")])
    told = run(f"{code}\nexcept ImportError as error: print(error)", without=[parser])
    assert told.strip() == (
        f"{package} is not installed; run: pip install 'r3mem-agents[documents]'"
    )


def test_plain_text_needs_no_parser() -> None:
    parsers = ["bs4", "markdown_it", "pypdf"]
    assert not loaded(READ.format("txt", b"Cats."), parsers)
