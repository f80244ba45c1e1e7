from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from r3mem_agents import CompressiveMemory, Turn
from r3mem_agents.cli.demo.meetings import load

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page, Response, expect  # noqa: E402

from tests.server.page.chromium import MODEL, browsing, chromium  # noqa: E402
from tests.server.running import serving  # noqa: E402

PATIENCE_MS = 60_000
"""A slow machine must not fail a test."""

expect.set_options(timeout=PATIENCE_MS)

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@dataclass
class Site:
    """What is served: a file with the demo's first meetings, whose user is ``demo``."""

    url: str
    memory: CompressiveMemory
    expected: list[str] = field(default_factory=list)

    def people(self, user: str, *turns: tuple[str, str], name: str = "Hanna") -> CompressiveMemory:
        """Another user's memory, with turns as pairs of session and text, a day apart."""
        memory = self.memory.scoped(user=user)
        memory.remember_many(
            Turn(
                role="user",
                name=name,
                text=text,
                session=session,
                time=START + timedelta(days=place),
            )
            for place, (session, text) in enumerate(turns)
        )
        return memory


Show = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; while it is open, no other test of this process may run an event loop."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here; Debian's comes with: apt-get install chromium")
    with browsing(path) as browser:
        yield browser


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("site") / "memory.db"
    with CompressiveMemory(path, user="demo") as memory:
        memory.remember_many(load(100).turns)
        with serving(path, MODEL) as server:
            yield Site(f"{server.url}/", memory)


@pytest.fixture
def show(browser: Browser, site: Site) -> Iterator[Show]:
    """Show the page to a user; all that it asks goes to its server, and nothing goes wrong in it.

    ``expected`` of the site holds beginnings of what the console may say.
    """
    asked: list[str] = []
    wrong: list[str] = []
    contexts = []

    def show(
        user: str = "demo", *, width: int = 1280, height: int = 800, **options: object
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-GB",
            timezone_id="UTC",
            **options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.goto(site.url)
        page.locator("#side:not([hidden])").wait_for()
        if user != "demo":
            page.get_by_label("User and agent").select_option(label=user)
            page.locator("#main:not([aria-busy]) h1").wait_for()
        return page

    yield show
    for context in contexts:
        context.close()
    assert {urlsplit(url).netloc for url in asked} <= {urlsplit(site.url).netloc}
    assert not [text for text in wrong if not text.startswith(tuple(site.expected) or ("\0",))]
    site.expected.clear()


def ask(page: Page, question: str) -> None:
    """Ask a question, and wait for what is found."""
    page.get_by_label("Question").fill(question)
    with page.expect_response("**/v1/recall*"):
        page.keyboard.press("Enter")
    page.locator(".sure").wait_for()


def changed(page: Page, press: Callable[[], None]) -> Response:
    """Do what changes something, and return what the server says to that."""
    with page.expect_response(lambda answer: answer.request.method in ("PATCH", "POST")) as told:
        press()
    return told.value
