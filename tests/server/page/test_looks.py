"""The page on every screen, in light and dark, for eyes and for screen readers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.server.page.conftest import Show, Site, ask

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


BESIDE_THEIR_FIELDS = """[...document.querySelectorAll("#filters .field")].flatMap((field) =>
    [...field.querySelectorAll("input, select, button")].filter((one) =>
        one.getBoundingClientRect().right > field.getBoundingClientRect().right + 1
    ).map((one) => one.outerHTML)
)"""


def all_of_it(page: Page) -> list[str]:
    """Show each part of the page in turn, and yield what of it is hard to read."""
    hard = []

    def look() -> None:
        page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished))")
        hard.extend(page.evaluate(CONTRAST))

    page.get_by_role("button", name="Show what tokens cost").click()
    page.locator(".spent").first.wait_for()
    page.locator(".turn").first.focus()
    look()
    page.keyboard.press("e")
    look()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Add a condition").click()
    ask(page, "Which city is my home now?")
    look()
    page.locator(".turn").first.focus()
    page.keyboard.press("Delete")
    look()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    look()
    page.keyboard.press("Escape")
    return hard


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_a_contrast_of_four_and_a_half(
    show: Show, site: Site, scheme: Literal["light", "dark"]
) -> None:
    user = f"seen in {scheme}"
    site.people(
        user,
        ("s1", "I rent a studio in Graz, two tram stops from the opera."),
        ("s2", "I've settled into my new two-room place in Salzburg, under the fortress."),
    )
    assert all_of_it(show(user, color_scheme=scheme)) == []


def test_the_theme_is_the_systems_until_it_is_chosen(show: Show) -> None:
    page = show(color_scheme="dark")
    dark = ground(page)
    page.get_by_role("button", name="Theme: system").click()
    light = ground(page)
    assert dark != light
    page.reload()
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
    assert ground(page) == light
    page.get_by_role("button", name="Theme: light").click()
    assert ground(page) == dark


@pytest.mark.parametrize("width", [360, 768, 1280, 2200])
def test_nothing_is_wider_than_the_screen(show: Show, site: Site, width: int) -> None:
    site.people(f"wide {width}", ("s" * 200, "W" * 3000), ("t", "word " * 300), name="N" * 150)
    page = show(f"wide {width}", width=width, height=740)
    fits(page)
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Value").fill("W" * 300)
    fits(page)
    assert page.evaluate(BESIDE_THEIR_FIELDS) == []
    page.get_by_label("Value").fill("")
    ask(page, "word " + "W" * 300)
    fits(page)
    page.locator(".turn").first.focus()
    page.keyboard.press("Delete")
    fits(page)


def fits(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]


def ground(page: Page) -> str:
    """The colour behind everything."""
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_all_controls_have_names_and_all_parts_their_landmarks(show: Show) -> None:
    page = show()
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Add a condition").click()
    for landmark in ("banner", "search", "navigation", "main"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    for name in ("Sessions along time", "What it costs"):
        expect(page.get_by_role("region", name=name)).to_be_visible()
    expect(page.get_by_role("feed")).to_be_visible()
    ask(page, "What is the cost?")
    client = page.context.new_cdp_session(page)
    nodes = client.send("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in nodes if role(node) in CONTROLS and not node["ignored"]]
    assert len(controls) > 40
    assert [node for node in controls if not node["name"]["value"].strip()] == []


CONTROLS = {"button", "textbox", "searchbox", "combobox", "checkbox", "spinbutton", "link", "Date"}
CONTROLS |= {"article", "table", "img", "dialog", "DateTime"}


def role(node: dict[str, Any]) -> str:
    """What a node of the accessibility tree is."""
    return str(node.get("role", {}).get("value"))


def test_words_of_other_languages_run_in_their_own_direction(show: Show, site: Site) -> None:
    site.people(
        "מרים", ("سفر", "كلبي اسمه بسكويت (Biscuit)."), ("旅行", "京都へ行きたい。"), name="مريم"
    )
    page = show("מרים")
    page.locator(".session", has_text="سفر").click()
    text = page.locator(".turn .text")
    expect(text).to_have_text("كلبي اسمه بسكويت (Biscuit).")
    assert text.evaluate("one => getComputedStyle(one).direction") == "rtl"
    box = text.evaluate(
        """one => { const range = document.createRange(); range.selectNodeContents(one);
        return [range.getBoundingClientRect().right, one.getBoundingClientRect().right] }"""
    )
    assert box[0] == pytest.approx(box[1], abs=2)


def test_nothing_moves_for_those_who_want_no_motion(show: Show) -> None:
    page = show(reduced_motion="reduce")
    moving = """[...document.querySelectorAll("*")].filter((one) => {
        const style = getComputedStyle(one);
        return style.animationName !== "none" || style.transitionDuration !== "0s";
    }).length"""
    assert page.evaluate(moving) == 0
    assert re.search(r"[1-9]", str(show().evaluate(moving)))
