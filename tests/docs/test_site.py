"""The site: every page is in it, links lead somewhere, what is generated is fresh."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.commands import reference
from tests.docs.blocks import DOCS, PAGES, ROOT, named

REPOSITORY: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"][
    "Repository"
]
SITE: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)


def links(page: Path) -> list[str]:
    """Where the links of a page lead to, code left out."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [inline or reference for inline, reference in LINK.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_into_the_repository_lead_somewhere(page: Path) -> None:
    for link in links(page):
        target, _, _ = link.partition("#")
        if target.startswith(REPOSITORY):
            _, found, path = target.partition("/blob/main/")
            assert not found or (ROOT / path).exists(), link
        elif target and "://" not in target:
            assert (page.parent / target).exists(), link


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_what_is_shown_elsewhere_links_absolutely(name: str) -> None:
    """PyPI shows the README without the repository around it."""
    assert all("://" in link for link in links(ROOT / name))


def test_every_page_is_in_the_site() -> None:
    def pages(nav: Any) -> list[str]:
        if isinstance(nav, str):
            return [nav]
        entries = nav if isinstance(nav, list) else nav.values()
        return [page for entry in entries for page in pages(entry)]

    found = pages(SITE["nav"])
    assert sorted(found) == sorted(path.name for path in DOCS.glob("*.md"))


def test_the_site_fetches_nothing() -> None:
    assert SITE["theme"]["font"] is False
    assert not {"extra_css", "extra_javascript"} & SITE.keys()


def test_the_reference_of_the_command_line_is_fresh() -> None:
    """Otherwise ``make pages`` is due."""
    assert reference() == (DOCS / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "module",
    ["r3mem_agents", "r3mem_agents.errors", "r3mem_agents.prompts", "r3mem_agents.documents"]
    + [path.name for path in (ROOT / "integrations").glob("r3mem_*")],
)
def test_the_api_has_every_public_module(module: str) -> None:
    assert f"\n::: {module}\n" in (DOCS / "api.md").read_text(encoding="utf-8")


def test_every_finding_is_listed() -> None:
    listed = (ROOT / "findings" / "README.md").read_text(encoding="utf-8")
    for script in (ROOT / "findings").glob("*.sh"):
        assert f"| [{script.name}]({script.name}) |" in listed
