"""Turns are edited, pinned and forgotten, by the mouse and by the keyboard alone."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.server.page.conftest import Show, Site, ask, changed


def test_an_edit_keeps_the_place_and_the_earlier_words_if_wanted(show: Show, site: Site) -> None:
    memory = site.people("editor", ("s", "I live in Graz."), ("s", "It is sunny."))
    [first, _] = memory.history()
    page = show("editor")
    turn = page.locator(".turn").first
    for text, keep in (("I live in Linz.", False), ("I live in Wels.", True)):
        turn.hover()
        turn.get_by_role("button", name="Edit").click()
        turn.get_by_label("Words of the turn").fill(text)
        turn.get_by_label("Keep the earlier words").set_checked(keep)
        changed(page, turn.get_by_role("button", name="Save").click)
        expect(turn.locator(".text")).to_have_text(text)
    assert [one.text for one in memory.history()] == ["I live in Wels.", "It is sunny."]
    assert memory.history()[0].id == first.id
    turn.get_by_role("button", name="Versions").click()
    shown = turn.get_by_role("list", name="Earlier words").get_by_role("listitem")
    expect(shown).to_have_text(["I live in Linz."])
    assert [one.text for one in memory.versions(first.id)] == ["I live in Linz."]


def test_an_edit_that_is_left_changes_nothing(show: Show, site: Site) -> None:
    memory = site.people("undecided", ("s", "I live in Graz."))
    page = show("undecided")
    turn = page.locator(".turn")
    turn.focus()
    page.keyboard.press("e")
    page.keyboard.type("nothing")
    page.keyboard.press("Escape")
    expect(turn.locator(".text")).to_have_text("I live in Graz.")
    expect(turn).to_be_focused()
    assert memory.history()[0].text == "I live in Graz."


def test_a_pin_is_shown_and_taken_off(show: Show, site: Site) -> None:
    memory = site.people("pinner", ("s", "I am allergic to nuts."))
    page = show("pinner")
    turn = page.locator(".turn")
    for pinned in (True, False):
        turn.hover()
        changed(page, turn.get_by_role("button", name="Pin").click)
        expect(turn.get_by_role("button", name="Pin")).to_have_attribute(
            "aria-pressed", str(pinned).lower()
        )
        expect(turn.get_by_text("pinned")).to_have_count(int(pinned))
        assert memory.history()[0].pinned is pinned


def test_forgetting_asks_first_and_gives_a_receipt(show: Show, site: Site, tmp_path: Path) -> None:
    memory = site.people("forgetter", ("s", "My PIN is 4711."), ("s", "It is sunny."))
    [first, second] = memory.history()
    page = show("forgetter")
    turn = page.locator(".turn").first
    turn.hover()
    turn.get_by_role("button", name="Forget").click()
    dialog = page.get_by_role("dialog", name="Forget this turn?")
    expect(dialog).to_contain_text("My PIN is 4711.")
    dialog.get_by_role("button", name="Keep").click()
    assert memory.turn_ids() == [first.id, second.id]
    turn.hover()
    turn.get_by_role("button", name="Forget").click()
    told = json.loads(changed(page, dialog.get_by_role("button", name="Forget").click).body())
    receipt = page.get_by_role("dialog", name="Forgotten")
    expect(receipt).to_contain_text(told["file_hash"])
    with page.expect_download() as download:
        receipt.get_by_role("button", name="Download receipt").click()
    download.value.save_as(tmp_path / "receipt.json")
    kept = (tmp_path / "receipt.json").read_text()
    assert json.loads(kept) == told
    assert told["turn_ids"] == [first.id]
    assert "4711" not in kept
    receipt.get_by_role("button", name="Done").click()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".turn")).to_be_focused()
    assert memory.turn_ids() == [second.id]


def test_a_session_and_everything_can_be_forgotten(show: Show, site: Site) -> None:
    memory = site.people("leaver", ("a", "one"), ("b", "two"), ("c", "three"))
    page = show("leaver")
    page.get_by_role("button", name="Forget session").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget").click()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("b")
    assert memory.sessions() == ["a", "b"]
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_label("To go on").fill("somebody else")
    page.get_by_role("dialog").get_by_role("button", name="Forget").click()
    assert memory.sessions() == ["a", "b"]
    page.get_by_label("To go on").fill("leaver")
    page.get_by_role("dialog").get_by_role("button", name="Forget").click()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is remembered yet")
    assert memory.sessions() == []


def test_a_turn_that_expires_says_when(show: Show, site: Site) -> None:
    from datetime import UTC, datetime

    when = datetime(2035, 1, 2, 3, 4, tzinfo=UTC)
    site.memory.scoped(user="fleeting").remember("user", "The code is 12.", expires=when)
    page = show("fleeting")
    expect(page.locator(".turn time").last).to_have_text("expires 2 Jan 2035, 03:04")


def test_the_keyboard_alone_does_all_of_it(show: Show, site: Site) -> None:
    memory = site.people(
        "typist", ("s", "I live in Graz."), ("s", "My dog is called Biscuit."), ("t", "Bye.")
    )
    page = show("typist")
    page.keyboard.press("/")
    page.keyboard.type("What is my dog called?")
    page.keyboard.press("Enter")
    page.locator(".hit").first.wait_for()
    tab_to(page, ".hit .turn")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("My dog is called Crumble.")
    changed(page, lambda: page.keyboard.press("Control+Enter"))
    expect(page.locator(".hit .turn").first).to_be_focused()
    changed(page, lambda: page.keyboard.press("p"))
    expect(page.locator(".hit .badge.on")).to_have_count(1)
    page.keyboard.press("Shift+Tab")
    page.locator(".hit .turn").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # in its session
    expect(page.get_by_role("heading", level=1)).to_have_text("s")
    expect(page.locator(".turn").nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("t")
    expect(page.locator(".turn").first.locator(".spent")).to_be_visible()
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Tab")
    changed(page, lambda: page.keyboard.press("Enter"))
    expect(page.get_by_role("button", name="Done")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".turn")).to_be_focused()
    tab_to(page, ".session", back=True)
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("t")
    assert [one.text for one in memory.history()] == ["My dog is called Crumble.", "Bye."]
    assert memory.history()[0].pinned


def test_no_key_traps_and_every_stop_is_seen(show: Show) -> None:
    page = show()
    ask(page, "What is the cost?")
    page.evaluate("document.activeElement.blur()")
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => { const at = document.activeElement, style = getComputedStyle(at);
            return [at === document.body, at.outerHTML, style.outlineStyle, style.outlineWidth] }"""
        )
        if stop[0]:
            break
        assert stop[2] != "none", stop
        assert stop[3] != "0px", stop
        stops.append(stop[1])
    else:
        raise AssertionError("Tab never leaves the page")
    assert 10 < len(stops) < 40  # lists are one stop each
    assert len(set(stops)) == len(stops)


def test_keys_that_work_anywhere_can_be_turned_off(show: Show) -> None:
    page = show()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    expect(keys).to_be_visible()
    keys.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    page.keyboard.press("?")
    page.keyboard.press("/")
    expect(keys).to_have_count(0)
    expect(page.get_by_label("Question")).not_to_be_focused()


def tab_to(page: Page, selector: str, *, back: bool = False) -> None:
    """Press Tab until something has the focus."""
    for _ in range(40):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no way to {selector}")
