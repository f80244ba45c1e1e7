"""What the page keeps when much is remembered, when a request fails, and when a token ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from r3mem_agents import CompressiveMemory
from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.server.tokens import Tokens
from tests.server.page.conftest import Show, Site, changed
from tests.server.running import serving


def test_what_was_typed_to_find_a_session_and_the_focus_stay(show: Show, site: Site) -> None:
    site.people("finder", *((f"day {number:02}", "Hello.") for number in range(30)))
    page = show("finder")
    page.get_by_label("Find a session").fill("day 1")
    sessions = page.locator(".session:visible")
    expect(sessions).to_have_count(10)
    sessions.nth(3).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("day 16")
    expect(page.get_by_label("Find a session")).to_have_value("day 1")
    expect(sessions).to_have_count(10)
    expect(page.locator(".session[aria-current]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("day 15")


@pytest.mark.parametrize(
    ("text", "typed", "edited"),
    [
        ("one\r\ntwo", None, "one\r\ntwo"),
        ("one\rtwo\n", None, "one\rtwo\n"),
        ("one\r\ntwo", "1\n2\n", "1\r\n2\r\n"),
        ("one\ntwo", "1\n2", "1\n2"),
    ],
)
def test_an_edit_keeps_the_kind_of_line_ends(
    show: Show, site: Site, text: str, typed: str | None, edited: str
) -> None:
    user = f"lines {text!r} {typed!r}"
    memory = site.people(user, ("s", text))
    page = show(user)
    turn = page.locator(".turn")
    turn.focus()
    page.keyboard.press("e")
    field = turn.get_by_label("Words of the turn")
    if typed is None:
        field.press("Control+Enter")
    else:
        field.fill(typed)
        changed(page, lambda: field.press("Control+Enter"))
    expect(field).to_have_count(0)
    [after] = memory.history()
    assert after.text == edited
    assert len(memory.versions(after.id)) == (typed is not None)


def test_turns_that_could_not_be_loaded_can_be_asked_for_again(show: Show, site: Site) -> None:
    site.expected += ["Failed to load resource"]
    site.people("unlucky", *(("s", f"number {number}") for number in range(70)))
    page = show("unlucky")
    later = "**/v1/turns?*after=*"
    page.route(later, lambda route: route.abort())
    button = page.get_by_role("button", name="Later turns")
    button.scroll_into_view_if_needed()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.locator(".turn")).to_have_count(50)
    page.unroute(later)
    button.click()
    expect(page.locator(".turn")).to_have_count(70)
    expect(button).to_be_hidden()


@pytest.fixture
def signed_in(browser: Browser, tmp_path: Path, checkpoint: Path) -> Iterator[tuple[Page, Tokens]]:
    """A page that was opened with the only token of its file."""
    db = tmp_path / "team.db"
    with CompressiveMemory(db, user="ida", model=checkpoint) as memory:
        memory.remember("user", "I live in Graz.")
    with closing(OpenFile(db, str(checkpoint))) as file, serving(db, checkpoint) as server:
        tokens = Tokens(file)
        token = tokens.add("ida", "default")
        with closing(browser.new_context()) as context:
            page = context.new_page()
            page.goto(server.url)
            page.get_by_label("Token").fill(token)
            page.keyboard.press("Enter")
            page.locator(".turn").wait_for()
            yield page, tokens


def test_a_token_that_ends_leads_to_another_one(signed_in: tuple[Page, Tokens]) -> None:
    page, tokens = signed_in
    [token] = tokens.list()
    other = tokens.add("ida", "default")
    tokens.remove(token.id)
    turn = page.locator(".turn")
    turn.focus()
    page.keyboard.press("e")
    turn.get_by_label("Words of the turn").fill("I live in Linz.")
    page.keyboard.press("Control+Enter")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("this token opens nothing")
    expect(turn.get_by_label("Words of the turn")).to_have_value("I live in Linz.")
    notice.get_by_role("button", name="Sign in").click()
    expect(page.locator("#token-told")).to_contain_text("this token opens nothing")
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_label("Token").fill(other)
    page.keyboard.press("Enter")
    expect(page.locator(".turn .text")).to_have_text("I live in Graz.")
