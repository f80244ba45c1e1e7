from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.prompts import mended


@given(st.text())
def test_a_text_that_utf8_can_hold_stays_as_it_is(text: str) -> None:
    assert mended(text) == text


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a \ud83e\udd8a!", "a 🦊!"),
        ("a \ud83e!", "a \ufffd!"),
        ("\udd8a\ud83e", "\ufffd\ufffd"),
        ("🦊\ud83e", "🦊\ufffd"),
    ],
)
def test_halves_of_a_character_are_joined_or_replaced(text: str, after: str) -> None:
    assert mended(text) == after
    assert mended(after) == after
