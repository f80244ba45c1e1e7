"""Who and what is remembered, and what it costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from r3mem_agents import CompressiveMemory, Turn
from tests.server.page.chromium import MODEL
from tests.server.page.conftest import START, Show, Site, ask
from tests.server.running import add_token, serving


def test_the_newest_session_is_shown_first_and_others_when_they_are_chosen(show: Show) -> None:
    page = show()
    expect(page.get_by_role("heading", level=1)).to_have_text("meeting 4")
    sessions = page.get_by_role("navigation", name="Sessions").get_by_role("button")
    assert [one.locator("bdi").inner_text() for one in sessions.all()] == [
        f"meeting {n}" for n in (4, 3, 2, 1)
    ]
    sessions.nth(3).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("meeting 1")
    expect(sessions.nth(3)).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("meeting 4")
    page.locator(".along-time .bar").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("meeting 2")


def test_a_bar_of_the_timeline_stands_where_its_session_was(show: Show, site: Site) -> None:
    site.people("times", ("a", "first"), ("b", "second"), ("c", "third"), ("c", "fourth"))
    page = show("times")
    boxes = [bar.bounding_box() for bar in page.locator(".along-time .bar").all()]
    a, b, c = (box for box in boxes if box is not None)
    assert b["x"] - a["x"] == pytest.approx(c["x"] - b["x"], abs=2)
    assert c["height"] > a["height"] == b["height"]
    assert c["width"] > a["width"]
    expect(page.get_by_role("img", name="3 sessions from 2 Mar 2026 – 5 Mar 2026")).to_be_visible()


def test_thousands_of_turns_load_as_they_come_into_view(show: Show, site: Site) -> None:
    memory = site.memory.scoped(user="long")
    memory.remember_many(
        Turn(role="user", text=f"number {n}", session="s", time=START) for n in range(400)
    )
    page = show("long")
    turns = page.locator(".turn")
    expect(turns).to_have_count(50)
    while (count := turns.count()) < 400:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(turns).not_to_have_count(count)
    assert turns.locator(".text").all_text_contents() == [f"number {n}" for n in range(400)]
    expect(page.get_by_role("button", name="Later turns")).to_be_hidden()


def test_earlier_turns_come_in_without_moving_what_is_read(show: Show, site: Site) -> None:
    memory = site.memory.scoped(user="middle")
    memory.remember_many(
        Turn(role="user", text=f"sentence number {n} " * (1 + 9 * (n % 7)), session="s", time=START)
        for n in range(300)
    )
    page = show("middle")
    ask(page, "sentence number 250")
    found = page.locator(".hit .turn").first.get_attribute("data-turn")
    page.get_by_role("button", name="In its session").first.click()
    here = page.locator(f'.turns [data-turn="{found}"]')
    expect(here).to_be_focused()
    page.wait_for_load_state("networkidle")
    expect(here).to_be_in_viewport()
    ids = page.locator(".turn").evaluate_all("all => all.map((one) => Number(one.dataset.turn))")
    assert ids == memory.turn_ids()[-len(ids) :]
    for _ in range(3):
        count = page.locator(".turn").count()
        first = page.locator(".turn").first.get_attribute("data-turn")
        page.evaluate("scrollTo(0, document.querySelector('.turns').offsetTop + 100)")
        expect(page.locator(".turn")).not_to_have_count(count)
        page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
        expect(page.locator(f'[data-turn="{first}"]')).to_be_in_viewport()


def test_tokens_are_coloured_by_what_they_cost(show: Show, site: Site) -> None:
    site.people("tokens", ("s", "The Zwiebelkuchen of Grimma-Süd is what I like the most. 🇵🇹"))
    page = show("tokens")
    with page.expect_response("**/tokens*") as told:
        page.get_by_role("button", name="Tokens", exact=True).click()
    tokens = json.loads(told.value.body())
    text = page.locator(".turn .text")
    expect(page.locator(".spent")).to_contain_text(f"{len(tokens)} tokens")
    assert text.inner_text() == "".join(one["text"] for one in tokens)
    kinds = [
        "inferred" if one["inferred"] else "cheap" if one["bits"] < 10 else "surprising"
        for one in tokens
    ]
    shown = [one.get_attribute("class") for one in page.locator(".token", has_text="").all()]
    coloured = [f"token {kind}" for kind in kinds]
    assert [one for one in shown if one in coloured][-len(coloured) :] == coloured
    assert {"inferred", "surprising"} <= set(kinds)
    page.get_by_role("button", name="Tokens", exact=True).click()
    expect(page.locator(".turn .token")).to_have_count(0)
    assert text.inner_text() == "".join(one["text"] for one in tokens)


def test_a_switch_colours_what_is_in_view_and_no_more(show: Show) -> None:
    page = show(height=600)
    page.get_by_role("button", name="Show what tokens cost").click()
    expect(page.locator(".turn").first.locator(".spent")).to_be_visible()
    expect(page.locator(".legend")).to_be_visible()
    page.wait_for_load_state("networkidle")
    coloured = page.locator(".turn:has(.spent)").count()
    assert 0 < coloured < page.locator(".turn").count()
    page.get_by_role("button", name="Show what tokens cost").click()
    expect(page.locator(".spent")).to_have_count(0)
    expect(page.locator(".legend")).to_be_hidden()


def test_the_bar_of_costs_has_the_shares_that_the_table_says(show: Show, site: Site) -> None:
    page = show()
    stats = site.memory.stats()
    sizes = [stats.code_bytes, stats.gist_bytes, stats.term_bytes]
    parts = [one.bounding_box() for one in page.locator(".cost .parts i").all()]
    widths = [box["width"] for box in parts if box is not None]
    for width, size in zip(widths, sizes, strict=False):
        assert width / sum(widths) == pytest.approx(size / stats.file_bytes, abs=0.02)
    expect(page.locator(".cost")).to_contain_text(f"{stats.bits_per_token:.2f} bits a token")
    rows = page.locator(".cost tr").all_inner_texts()
    assert rows[0].split("\t")[1].split()[0] == f"{stats.code_bytes / 1000:.1f}"


def test_the_summary_of_a_session_is_in_its_own_words(show: Show, site: Site) -> None:
    page = show()
    page.get_by_text("What it was about").click()
    said = page.locator(".gist-of li")
    expect(said).to_have_count(3)
    for turn, shown in zip(site.memory.summary("meeting 4"), said.all(), strict=True):
        assert turn.text in (shown.text_content() or "")


def test_a_long_turn_is_cut_until_it_is_asked_for(show: Show, site: Site) -> None:
    text = "Lisbon is hilly. " * 1000
    site.people("lengthy", ("s", text))
    page = show("lengthy")
    shown = page.locator(".turn .text")
    assert len(shown.inner_text()) < 7000
    page.get_by_role("button", name="Show all 17,000 characters").click()
    assert shown.text_content() == text


def test_a_token_is_asked_for_kept_in_the_tab_and_forgotten(
    show: Show, site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "tokens.db"
    with CompressiveMemory(path, user="alice") as memory:
        memory.remember("user", "My dog is called Biscuit.", session="pets")
        token = add_token(path, MODEL, "alice")
        page = show()
        site.expected.append("Failed to load resource")
        with serving(path, MODEL) as server:
            elsewhere = page.context.new_page()
            elsewhere.goto(server.url)
            sign_in(elsewhere, "r3m_nonsense")
            expect(elsewhere.locator("#token-told")).to_contain_text("opens nothing")
            sign_in(elsewhere, token)
            expect(elsewhere.locator(".turn .text")).to_have_text("My dog is called Biscuit.")
            kept = "JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)])"
            stored, everywhere = json.loads(elsewhere.evaluate(kept))
            assert [value for _, value in stored] == [token]
            assert not everywhere
            assert token not in elsewhere.url
            elsewhere.get_by_role("button", name="Sign out").click()
            expect(elsewhere.get_by_label("Token")).to_be_visible()
            assert json.loads(elsewhere.evaluate(kept)) == [[], []]
            elsewhere.close()


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Open").click()
    page.wait_for_load_state("networkidle")
