"""How much each level of evidence counts in a lookup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How evidence is fused.

    Fitted on questions about training data, and held back where these flatter a level
    (docs/LOG.md, "weights fitted on training data"). ``time`` is chosen: no training question names
    a date; it weighs as much as the speaker, who says as little alone.

    Attributes:
        entity: BM25 of the turn.
        gist: Likeness of the best of the turn's gists to the question's.
        previous: Entity and gist evidence of the turn before it in the session.
        following: The same of the turn after it.
        brevity: Terms of a turn that gives half of that to those beside it. A question is shorter
            and gives more; a long turn speaks for itself (docs/LOG.md, "long turns speak for
            themselves").
        session: BM25 of its session, taken as one document.
        speaker: The question names the speaker.
        time: The question names the time; counted only if it names one.
        k1: How fast a repeated term saturates.
        b: How far long turns are held back.
    """

    entity: float = 1.0
    gist: float = 0.5
    previous: float = 0.3
    following: float = 0.1
    brevity: float = 50.0
    session: float = 0.6
    speaker: float = 0.3
    time: float = 0.3
    k1: float = 0.9
    b: float = 0.5

    @property
    def total(self) -> float:
        """The greatest sum that a turn can reach: what scores are divided by."""
        around = (self.entity + self.gist) * (1 + self.previous + self.following)
        return around + self.session + self.speaker + self.time

    def without(self, *levels: str) -> Weights:
        """The same weights, with some levels of :data:`LEVELS` left out."""
        names = [name for level in levels for name in LEVELS[level]]
        return replace(self, **dict.fromkeys(names, 0.0))


LEVELS: Mapping[str, tuple[str, ...]] = {
    "entity": ("entity",),
    "gist": ("gist",),
    "neighbours": ("previous", "following"),
    "session": ("session",),
    "speaker": ("speaker",),
    "time": ("time",),
}
"""The weights of each level of evidence."""

WEIGHTS = Weights()

ALONE = WEIGHTS.without("neighbours", "session")
"""For turns that have nothing to do with those beside them."""
