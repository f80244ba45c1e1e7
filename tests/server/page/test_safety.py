"""What is remembered is words and never markup, and goes nowhere but to the screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.server.page.conftest import Show, Site, ask

MARKUP = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</p></article><iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<svg onload=alert(1)><style>*{display:none}</style>",
    "javascript:alert(1)//\"'><a href=javascript:alert(1)>x</a>",
    "{{7*7}}${7*7}<!-- &lt;b&gt; -->",
)


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_is_shown_as_it_was_said(show: Show, site: Site, markup: str) -> None:
    user = f"x{MARKUP.index(markup)} {markup}"
    memory = site.memory.scoped(user=user)
    for session in (markup, "other"):
        memory.remember(
            "user",
            f"biscuit {markup}",
            name=f"n {markup}",
            session=session,
            metadata={markup: markup},
            key=markup,
        )
    page = show(user)
    page.locator(".session").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(markup)
    expect(page.locator(".turn .text")).to_have_text(f"biscuit {markup}")
    expect(page.locator(".turn .name")).to_have_text(f"n {markup}")
    page.get_by_role("button", name="Show what tokens cost").click()
    page.locator(".spent").wait_for()
    ask(page, f"biscuit {markup}")
    expect(page.locator(".hit .text").first).to_have_text(f"biscuit {markup}")
    page.locator(".turn").first.focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("dialog").locator("blockquote")).to_have_text(f"biscuit {markup}")
    strange = "document.querySelectorAll('main :is(img, script, iframe, svg, style, a)').length"
    assert page.evaluate(strange) == 0


def test_no_string_can_become_markup_or_a_script(show: Show, site: Site) -> None:
    site.expected += [
        "This document requires 'Trusted",
        "Fetch API cannot load https://example.org/",
        "Connecting to 'https://example.org/' violates",
    ]
    page = show()
    tried = page.evaluate(
        """async () => {
          const refused = async (work) => { try { await work() } catch (e) { return e.name } };
          const script = document.createElement("script");
          return [
            await refused(() => { document.body.innerHTML = "<b>x</b>" }),
            await refused(() => { script.text = "window.ran = 1" }),
            await refused(() => fetch("https://example.org/")),
          ];
        }"""
    )
    assert tried == ["TypeError"] * 3


def test_no_word_gets_into_an_address_or_what_the_browser_keeps(show: Show, site: Site) -> None:
    site.people("secretive", ("meeting with Zaphod", "My PIN is 4711."))
    page = show("secretive")
    ask(page, "What is my PIN, Zaphod?")
    page.get_by_role("button", name="In its session").click()
    assert page.url == site.url
    kept = page.evaluate(
        "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie, history.state])"
    )
    assert not re.search("Zaphod|4711|PIN", kept)
