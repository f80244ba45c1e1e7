"""dateparser finds the same in the parts of a text as in all of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents.analysis.dates import single
from r3mem_agents.analysis.dates.parts import parts_with_dates

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

DATES = """
    3 2019 2024? 12/03/2024 12th 3rd May may March Monday Fri. last next past ago week weeks year
    years day days month decade fortnight yesterday today now morning night hour 10:30 5pm EST an a
    two of in on at the from to and before Q1 quarter XII centuries '90s £10 (2020) noon since
""".split()  # noqa: SIM905
OTHERS = """
    What did Alice say about our trip dog Rome I've we're you [or That was point deliver elaborate
    COVID-19 Mayor Marching Sunday's secondary zzz café 你好 x, (see) stay. them? summer wet sat
""".split()  # noqa: SIM905


@given(words=st.lists(st.sampled_from(DATES) | st.sampled_from(OTHERS), min_size=1, max_size=9))
@settings(max_examples=150, deadline=None)
def test_the_same_dates_are_found(words: list[str]) -> None:
    text = " ".join(words)
    found = list(single.found_dates(text, NOW, "en"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(single, "parts_with_dates", lambda whole: [whole])
        assert found == list(single.found_dates(text, NOW, "en"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("What did Alice say yesterday about the dog?", ["did", "yesterday about the"]),
        ("That was point 2334.", ["That was", "2334."]),
        ("Well, encouraging: in May 2023 and (perhaps) June", ["in May 2023 and (perhaps) June"]),
        ("last week", ["last week"]),
        ("dog", []),
        ("", [""]),
    ],
)
def test_a_text_is_cut_at_words_that_no_date_has(text: str, parts: list[str]) -> None:
    assert [part.removesuffix(" of").strip() for part in parts_with_dates(text)] == parts
