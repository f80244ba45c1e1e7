"""Weights of features: one for each, and none besides."""

from __future__ import annotations

from math import inf, nan

import pytest

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.lookup.weights import FEATURES, LEVELS, WEIGHTS, Weights

WHOLE = dict.fromkeys(FEATURES, 1.0)


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("whose", ["assistant", "people"])
def test_a_feature_without_a_weight_is_named(feature: str, whose: str) -> None:
    some = {name: weight for name, weight in WHOLE.items() if name != feature}
    with pytest.raises(InvalidInputError, match=rf"weights of {whose} .*: {feature} has none"):
        Weights(**({"assistant": WHOLE, "people": WHOLE} | {whose: some}))


@pytest.mark.parametrize("weights", [{"colour": 1.0}, {"said": nan}, {"said": inf}])
def test_a_weight_of_no_feature_or_of_no_size_is_named(weights: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(weights))):
        Weights(WHOLE, WHOLE | weights)


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_that_is_left_out_does_not_count(level: str) -> None:
    left = WEIGHTS.without(level)
    assert not left.has(level)
    assert all(left.has(other) for other in LEVELS if other != level)
