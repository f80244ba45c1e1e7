"""Turns are edited, pinned and forgotten, by the mouse and by the keyboard alone."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.server.page.conftest import Show, Site, ask, changed


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
