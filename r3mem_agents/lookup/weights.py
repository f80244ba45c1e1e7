"""Weights of the features of a lookup, in log-odds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from r3mem_agents.errors import InvalidInputError

LEVELS: Mapping[str, tuple[str, ...]] = {
    "words": ("said", "said_relative", "said_share"),
    "gist": ("alike_relative", "alike_unsaid", "alike_relative_unsaid"),
    "neighbours": ("before_said", "after_said"),
    "session": ("session_said", "session_alike"),
    "speaker": ("named", "named_said"),
    "time": ("then", "newer"),
    "role": ("user", "user_personal", "length", "asks", "follows"),
}
"""The features of each level of evidence; ``features`` says what they are."""

FEATURES = tuple(name for names in LEVELS.values() for name in names)


@dataclass(frozen=True, slots=True)
class Weights:
    """How evidence is fused: the weight of a feature is the log-odds of one unit of it.

    Attributes:
        assistant: For memories whose turns have several roles: conversations with an assistant.
        people: For memories whose turns have one role: people among themselves, notes; and for
            passages of documents in any memory.

    Raises:
        InvalidInputError: A feature has no finite weight, or there is no such feature.
    """

    assistant: Mapping[str, float]
    people: Mapping[str, float]

    def __post_init__(self) -> None:
        """Refuse weights of other features than there are."""
        for whose, weights in (("assistant", self.assistant), ("people", self.people)):
            finite = {name for name, weight in weights.items() if isfinite(weight)}
            if wrong := sorted(weights.keys() - finite | finite ^ {*FEATURES}):
                raise InvalidInputError(
                    f"weights of {whose} must be a finite number for each of FEATURES: "
                    f"{', '.join(wrong)} has none, or is no feature"
                )

    def of(self, *, several_roles: bool) -> Mapping[str, float]:
        """Return the weights for a memory."""
        return self.assistant if several_roles else self.people

    def without(self, *levels: str) -> Weights:
        """Return the same weights, with some levels of ``LEVELS`` left out."""
        gone = dict.fromkeys((name for level in levels for name in LEVELS[level]), 0.0)
        return Weights({**self.assistant, **gone}, {**self.people, **gone})

    def has(self, level: str) -> bool:
        """Return whether a level counts at all."""
        return any(one[name] for one in (self.assistant, self.people) for name in LEVELS[level])


WEIGHTS = Weights(
    assistant={
        "said": 0.0,
        "said_relative": 0.68,
        "said_share": 4.71,
        "alike_relative": 1.16,
        "alike_unsaid": 0.08,
        "alike_relative_unsaid": 3.14,
        "before_said": 0.0,
        "after_said": 0.0,
        "session_said": 0.05,
        "session_alike": 2.48,
        "named": 1.24,
        "named_said": 0.76,
        "then": 0.81,
        "newer": 0.5,
        "user": 1.8,
        "user_personal": 0.56,
        "length": -1.33,
        "asks": -0.07,
        "follows": 0.14,
    },
    people={
        "said": 0.62,
        "said_relative": 0.0,
        "said_share": 6.68,
        "alike_relative": 0.0,
        "alike_unsaid": 1.51,
        "alike_relative_unsaid": 2.39,
        "before_said": 0.97,
        "after_said": 0.69,
        "session_said": 2.88,
        "session_alike": 2.01,
        "named": 1.8,
        "named_said": 1.39,
        "then": 1.3,
        "newer": 0.0,
        "user": 0.0,
        "user_personal": 0.0,
        "length": 0.27,
        "asks": -0.55,
        "follows": 0.47,
    },
)
"""Fitted by ``examples/recipes/fit_weights.py`` on 2,071 questions about ten sets of conversations,
of people and of assistants (docs/LOG.md, "a fusion that knows when words say nothing"). What speaks
for a turn cannot count against it; ``newer`` is chosen."""

ALONE = WEIGHTS.without("neighbours", "session")
"""For turns that are unrelated to their neighbours."""
