"""Tables and figures on the pages are those of the committed results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.tables import pages
from docs.tables.pages import PAGES, TABLES, figure, written
from tests.docs.blocks import DOCS, ROOT, named

WRITTEN = re.compile(
    r"<!-- (table|figure|output): .*?<!-- /\1 -->|"
    r"<!-- what follows is written by `make question` -->.*?<!-- to here -->",
    re.DOTALL,
)
FIGURES = [ROOT / "README.md", DOCS / "figures.md", DOCS / "demo.md"]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_tables_are_fresh(page: Path) -> None:
    """Otherwise ``make pages`` is due."""
    text = page.read_text(encoding="utf-8")
    assert written(text) == text


def test_every_table_is_shown_somewhere() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"<!-- table: ([\w-]+) -->", text)) == set(TABLES)


@pytest.mark.parametrize("page", FIGURES, ids=named)
def test_no_figure_is_written_by_hand(page: Path) -> None:
    text = WRITTEN.sub("", page.read_text(encoding="utf-8"))
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|^\[.*?\]: .*$", "", text, flags=re.DOTALL | re.M)
    assert not re.findall(r"\b0\.\d+|\b\d+(?:\.\d+)? (?:ms|MB|turns/s|tokens/s)\b", text)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_line_begins_with_a_figure(page: Path) -> None:
    """Markdown would take the line for a block of HTML."""
    assert not re.search(r"^<!-- figure", page.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("form", "shown"), [(".2f", "1500000.00"), (",", "1,500,000"), ("MB", "1.5 MB")]
)
def test_a_figure_has_a_format(form: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "figures", lambda _: {"a": {"b": 1_500_000}})
    assert figure("result/a/b", form) == shown
