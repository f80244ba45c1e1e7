"""Search, as agents search, with the evidence of each hit."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.server.page.conftest import Show, Site, ask

QUESTION = "What were the two lessons that can be learned from early implementer areas?"


def test_hits_are_those_of_recall_with_their_evidence(show: Show, site: Site) -> None:
    page = show()
    ask(page, QUESTION)
    hits = site.memory.recall(QUESTION, explain=True)
    shown = page.locator(".hit .turn")
    assert [one.get_attribute("data-turn") for one in shown.all()] == [
        str(hit.turn.id) for hit in hits
    ]
    assert page.locator(".sure .value").inner_text().startswith(f"{hits[0].score:.2f}")
    assert hits.explanation is not None
    expect(page.locator(".sure")).to_contain_text(hits.explanation.outcome)
    for word in hits.explanation.words:
        expect(page.locator(".asked")).to_contain_text(word)
    for hit, one in zip(hits, shown.all(), strict=True):
        assert hit.explanation is not None
        told = one.get_by_role("table").inner_text()
        for level, evidence in hit.explanation.evidence.items():
            if abs(evidence.log_odds) >= 0.005:
                assert f"{level}\t" in told
                assert f"{abs(evidence.log_odds):.2f}" in told
                assert all(reason in told for reason in evidence.reasons)


def test_bars_of_all_hits_have_one_scale(show: Show, site: Site) -> None:
    page = show()
    ask(page, QUESTION)
    rows = page.locator(".evidence tbody tr").all()
    scales = []
    for row in rows:
        odds = float(row.locator(".odds").inner_text().replace("−", "-"))
        box = row.locator(".bar i").bounding_box()
        if abs(odds) > 0.5 and box is not None:
            scales.append(box["width"] / abs(odds))
            assert (row.get_attribute("class") == "against") == (odds < 0)
    assert len(scales) > 5
    assert max(scales) - min(scales) < 0.02 * max(scales)


def test_words_of_the_question_are_marked_in_a_hit(show: Show, site: Site) -> None:
    site.people("marks", ("s", "A lesson about lessons: early lessons, (early) Lessons."))
    page = show("marks")
    ask(page, "early lessons")
    assert page.locator(".hit .text").inner_text().startswith("A lesson about")
    marked = [text.lower() for text in page.locator(".hit mark").all_inner_texts()]
    assert marked == ["lessons", "early", "lessons", "early", "lessons"]


def test_what_is_superseded_says_so_and_leads_to_the_newer_turn(show: Show, site: Site) -> None:
    memory = site.people(
        "moved",
        ("s1", "I rent a studio in Graz, two tram stops from the opera."),
        ("s2", "I've settled into my new two-room place in Salzburg, under the fortress."),
    )
    assert memory.recall("Which city is my home now?")[-1].superseded_by is not None
    page = show("moved")
    ask(page, "Which city is my home now?")
    expect(page.locator(".hit.superseded .text")).to_contain_text("Graz")
    page.get_by_role("button", name="superseded by a newer turn").click()
    expect(page.locator(".hit .turn", has_text="Salzburg")).to_be_focused()


def test_filters_go_into_the_lookup(show: Show, site: Site) -> None:
    page = show()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Said since").fill("2000-01-02T00:00")
    page.get_by_label("Said until").fill("2000-01-03T12:00")
    page.get_by_label("At most").fill("3")
    page.get_by_label("meeting 2").check()
    page.get_by_label("Role").fill("user")
    page.get_by_label("Question").fill("What is the cost?")
    with page.expect_request("**/v1/recall*") as asked:
        page.keyboard.press("Enter")
    assert json.loads(asked.value.post_data or "") == {
        "query": "What is the cost?",
        "k": 3,
        "level": "turn",
        "since": "2000-01-02T00:00:00.000Z",
        "until": "2000-01-03T12:00:00.000Z",
        "roles": ["user"],
        "sessions": ["meeting 2"],
        "explain": True,
    }
    expect(page.locator(".sure")).to_be_visible()
    assert {one.inner_text() for one in page.locator(".hit .who bdi:last-child").all()} <= {
        "meeting 2"
    }


def test_nothing_relevant_is_an_answer_with_its_reason(show: Show, site: Site) -> None:
    site.people("bare", ("s", "My dog is called Biscuit."))
    page = show("bare")
    ask(page, "xylophone quasar zeppelin")
    expect(page.locator(".hit")).to_have_count(0)
    expect(page.locator(".sure")).to_contain_text("Nothing is relevant")
    expect(page.get_by_role("status")).to_have_text("Nothing relevant was found.")


def test_a_prompt_can_be_seen_as_an_agent_gets_it(show: Show, site: Site) -> None:
    page = show()
    ask(page, QUESTION)
    page.get_by_text("What a prompt gets").click()
    expect(page.locator(".prompt pre")).to_contain_text("Huw Irranca-Davies")


def test_a_refusal_shows_its_advice_and_goes_when_the_next_thing_succeeds(
    show: Show, site: Site
) -> None:
    site.expected.append("Failed to load resource")
    page = show()
    page.route(
        "**/v1/recall*",
        lambda route: route.fulfill(
            status=503,
            json={"error": {"name": "StoreUnavailableError", "message": "Try again in a while."}},
        ),
        times=1,
    )
    page.get_by_label("Question").fill("What is the cost?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("StoreUnavailableError Try again in a while.")
    ask(page, "What is the cost?")
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_server_that_is_gone_is_named(show: Show, site: Site) -> None:
    site.expected.append("Failed to load resource")
    page = show()
    page.route("**/v1/recall*", lambda route: route.abort())
    page.get_by_label("Question").fill("What is the cost?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("r3mem serve")
