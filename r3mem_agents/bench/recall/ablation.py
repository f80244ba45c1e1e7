"""Rankings with less evidence than a memory has: what each level of it is worth."""

from __future__ import annotations

from collections.abc import Mapping

from r3mem_agents.memory.weights import LEVELS, WEIGHTS, Weights

ENTITY, ENTITY_AND_GIST = "entity alone", "entity and gist"

ABLATIONS: Mapping[str, Weights] = {
    **{f"without {level}": WEIGHTS.without(level) for level in LEVELS},
    ENTITY: WEIGHTS.without(*LEVELS.keys() - {"entity"}),
    ENTITY_AND_GIST: WEIGHTS.without(*LEVELS.keys() - {"entity", "gist"}),
}
"""The weights of each, by its name."""
