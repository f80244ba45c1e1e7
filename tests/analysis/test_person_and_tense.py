"""What the form of a question tells: its person and its tense."""

from __future__ import annotations

import pytest

from r3mem_agents.analysis.person_and_tense import past, personal


@pytest.mark.parametrize(
    ("question", "mine", "was"),
    [
        ("What's my name?", True, False),
        ("Where did Ann live before?", False, True),
        ("What do I use to drive?", True, True),
        ("Which car does she drive?", False, False),
        ("Wo habe ich früher gewohnt?", True, True),
        ("Où habite ma mère ?", False, False),
        ("我以前住在哪里？", True, True),
        ("Which mine is deepest?", True, False),
        ("", False, False),
    ],
)
def test_the_form_of_a_question(question: str, mine: bool, was: bool) -> None:
    assert (personal(question), past(question)) == (mine, was)
