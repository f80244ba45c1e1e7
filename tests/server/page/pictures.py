"""The pictures of docs/page.md, from the demo's meetings: python -m tests.server.page.pictures.

Needs Chromium and Pillow. Pictures are reduced to a palette, which makes them a third as large.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from r3mem_agents import CompressiveMemory
from r3mem_agents.cli.demo.meetings import SHOWN_QUESTIONS, load
from tests.server.page.chromium import MODEL, browsing, chromium
from tests.server.running import ROOT, serving

FOLDER = ROOT / "docs" / "results"
COLOURS = 64


def main() -> None:
    """Write all of them."""
    path = chromium()
    if path is None:
        sys.exit("no Chromium here; Debian's comes with: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, browsing(path) as browser:
        db = Path(folder) / "memory.db"
        with CompressiveMemory(db, user="demo") as memory:
            memory.remember_many(load().turns)
        with serving(db, MODEL) as server:
            draw(browser, server.url)


def draw(browser: Browser, url: str) -> None:
    """Draw the page of a server."""
    with shown(browser, url, 1280, 760) as page:
        page.get_by_role("button", name="Show what tokens cost").click()
        page.locator(".spent").nth(3).wait_for()
        page.wait_for_load_state("networkidle")
        save(page, "page.png")
    with shown(browser, url, 1280, 860) as page:
        ask(page, SHOWN_QUESTIONS[0])
        save(page, "page-search.png")
    with shown(browser, url, 390, 844, color_scheme="dark") as page:
        ask(page, SHOWN_QUESTIONS[1])
        page.locator(".sure").scroll_into_view_if_needed()
        save(page, "page-phone.png")


@contextmanager
def shown(browser: Browser, url: str, width: int, height: int, **options: Any) -> Iterator[Page]:
    """The page on a screen."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC", **options
    )
    page = context.new_page()
    page.goto(url)
    page.locator("#main:not([aria-busy]) h1").wait_for()
    yield page
    context.close()


def ask(page: Page, question: str) -> None:
    """Ask a question."""
    page.get_by_label("Question").fill(question)
    page.keyboard.press("Enter")
    page.locator("#main:not([aria-busy]) .hit").first.wait_for()
    page.get_by_label("Question").blur()


def save(page: Page, name: str) -> None:
    """Write what is on screen."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        FOLDER / name, optimize=True
    )


if __name__ == "__main__":
    main()
