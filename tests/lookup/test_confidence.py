"""How sure a lookup is that the memory holds an answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from r3mem_agents.lookup.confidence import least, sureness


@given(covered=st.floats(0, 1), alike=st.floats(-1, 1))
def test_a_turn_that_says_more_passes_if_one_that_says_less_does(
    covered: float, alike: float
) -> None:
    passed = [sureness(said, alike) >= least(said) for said in (0.0, covered / 2, covered, 1.0)]
    assert passed == sorted(passed)


def test_a_name_among_three_words_is_enough_and_the_similarity_of_unrelated_turns_is_not() -> None:
    assert sureness(1 / 3, -0.2) >= least(1 / 3)
    assert sureness(0.0, 0.2) < least(0.0) <= sureness(0.0, 0.25)
