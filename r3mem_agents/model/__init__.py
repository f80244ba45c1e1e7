"""The reversible model: couplings, rounds, exact arithmetic, entropy coding, checkpoints."""

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.reversible import Explanation, ReversibleModel
from r3mem_agents.model.segment import Segment

__all__ = ["Explanation", "ModelConfig", "ReversibleModel", "Segment"]
