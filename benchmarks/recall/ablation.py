"""Rankings with other evidence than a memory's, which show the worth of each level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from r3mem_agents.lookup.weights import LEVELS, WEIGHTS, Weights

WORDS, WORDS_AND_GIST = "words alone", "words and gist"
TEACHER, WORDS_AND_TEACHER = "teacher for gist", "words and teacher"
UNCOMPARED = "turns not compared"
"""The ranking that the others remove evidence from. None of them compares turns, as ``recall``
does: that would take most of the time and say nothing about the evidence."""


class Ablation(NamedTuple):
    """A way to rank.

    Attributes:
        weights: Weights of the evidence.
        teacher: Replace gists by full vectors of the sentence encoder that they were distilled
            from: no gist can be expected to do better.
    """

    weights: Weights
    teacher: bool = False


def _only(*levels: str) -> Weights:
    return WEIGHTS.without(*LEVELS.keys() - levels)


ABLATIONS: Mapping[str, Ablation] = {
    UNCOMPARED: Ablation(WEIGHTS),
    **{f"without {level}": Ablation(WEIGHTS.without(level)) for level in LEVELS},
    WORDS: Ablation(_only("words")),
    WORDS_AND_GIST: Ablation(_only("words", "gist")),
    TEACHER: Ablation(WEIGHTS, teacher=True),
    WORDS_AND_TEACHER: Ablation(_only("words", "gist"), teacher=True),
}
"""The ablations by name."""
