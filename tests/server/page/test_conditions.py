"""Conditions on metadata beside the search, by keys alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from r3mem_agents import CompressiveMemory
from tests.server.page.conftest import Show, Site

SIGNS = "=≠>≥<≤"
HUGE = 2**60 + 1


@pytest.fixture(scope="module")
def mail(site: Site) -> CompressiveMemory:
    memory = site.memory.scoped(user="mail")
    for number, about in enumerate(
        [
            {"channel": "mail", "priority": 4, "from": {"city": "Graz"}, "thread": HUGE},
            {"channel": "mail", "priority": 1, "tags": ["a", "b"], "thread": HUGE - 1},
            {"channel": "chat", "priority": 4},
        ]
    ):
        memory.remember("user", f"Invoice number {number}.", metadata=about)
    return memory


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def type_conditions(page: Page, *given: tuple[str, str, str]) -> None:
    """Add conditions with the keyboard alone, and leave the focus in the last value."""
    if not page.locator("#filters").is_visible():
        page.get_by_role("button", name="Filters").press("Enter")
    for key, sign, value in given:
        page.get_by_role("button", name="Add a condition").press("Enter")
        page.keyboard.type(key)
        press(page, "Escape", "Tab")  # away from the keys that are offered
        press(page, *["ArrowDown"] * SIGNS.index(sign), "Tab")
        page.keyboard.type(value)


def asked(page: Page) -> Any:
    """What Enter asks for."""
    with page.expect_response("**/v1/recall*") as told:
        page.keyboard.press("Enter")
    told.value.finished()
    return json.loads(told.value.request.post_data or "")["where"]


def found(page: Page) -> list[str]:
    expect(page.locator("#main:not([aria-busy])")).to_be_visible()
    return sorted(page.locator(".hit .text").all_inner_texts())


def test_conditions_are_those_of_recall(show: Show, mail: CompressiveMemory) -> None:
    page = show("mail")
    page.get_by_label("Question").fill("invoice number")
    type_conditions(page, ("channel", "=", "mail"), ("priority", "≥", "3"))
    where = asked(page)
    assert where == {"metadata.channel": {"$eq": "mail"}, "metadata.priority": {"$gte": 3}}
    hits = mail.recall("invoice number", where=where)
    assert found(page) == [hit.text for hit in hits] == ["Invoice number 0."]
    page.get_by_text("What a prompt gets").click()
    expect(page.locator(".prompt pre")).to_contain_text("Invoice number 0.")
    expect(page.locator(".prompt pre")).not_to_contain_text("Invoice number 1.")


def test_a_value_is_json_or_else_text(show: Show, mail: CompressiveMemory) -> None:
    page = show("mail")
    page.get_by_label("Question").fill("invoice number")
    type_conditions(page, ("channel", "=", ""))
    assert asked(page) == {"metadata.channel": {"$eq": ""}}
    for key, sign, value, wanted, numbers in (
        ("from.city", "$eq", "Graz", "Graz", [0]),
        ("tags", "$eq", '["a", "b"]', ["a", "b"], [1]),
        ("tags", "$eq", "null", None, [0, 2]),
        ("priority", "$ne", "4", 4, [1]),
        ("priority", "$eq", '"4"', "4", []),
        ("thread", "$eq", str(HUGE), HUGE, [0]),
    ):
        page.get_by_label("Metadata key").fill(key)
        page.get_by_label("Comparison").select_option(sign)
        page.get_by_label("Value").fill(value)
        assert asked(page) == {f"metadata.{key}": {sign: wanted}}
        assert found(page) == [f"Invoice number {number}." for number in numbers]


def test_conditions_are_removed_and_cleared(show: Show, mail: CompressiveMemory) -> None:
    page = show("mail")
    type_conditions(page, ("a", "=", "1"), ("b", "=", "2"), ("c", "=", "3"))
    keys = page.get_by_label("Metadata key")
    press(page, "Tab", "Enter")  # the last one goes, and the one before has the focus
    expect(keys).to_have_count(2)
    expect(keys.nth(1)).to_be_focused()
    page.get_by_role("button", name="Remove the condition").first.press("Enter")
    expect(keys).to_have_value("b")
    expect(keys).to_be_focused()
    page.get_by_role("button", name="Remove the condition").press("Enter")
    expect(page.get_by_role("button", name="Add a condition")).to_be_focused()
    type_conditions(page, ("a", "=", "1"))
    page.get_by_role("button", name="Clear").press("Enter")
    expect(keys).to_have_count(0)


def test_keys_of_the_turns_in_view_are_offered(show: Show, mail: CompressiveMemory) -> None:
    page = show("mail")
    type_conditions(page, ("x", "=", "1"))
    offered = page.locator("#known-keys option").evaluate_all("all => all.map((one) => one.value)")
    assert offered == ["channel", "from.city", "priority", "tags", "thread"]


def test_what_cannot_be_asked_is_refused_where_it_stands(
    show: Show, site: Site, mail: CompressiveMemory
) -> None:
    page = show("mail")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Question").fill("invoice")
    type_conditions(page, ("priority", ">", "1"), ("priority", ">", "2"))
    page.get_by_role("button", name="Filters").press("Enter")
    page.get_by_label("Question").press("Enter")
    expect(page.get_by_label("Comparison").nth(1)).to_be_focused()  # the filters opened for it
    page.get_by_label("Metadata key").nth(1).fill("")
    page.get_by_label("Question").press("Enter")
    expect(page.get_by_label("Metadata key").nth(1)).to_be_focused()
    assert asked == []
    site.expected.append("Failed to load resource")
    page.get_by_label("Value").nth(0).fill("true")
    page.get_by_label("Value").nth(1).fill("")
    page.get_by_label("Question").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(
        "InvalidInputError $gt compares with a number"
    )
