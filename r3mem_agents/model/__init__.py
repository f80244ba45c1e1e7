"""The reversible model: couplings, rounds, exact arithmetic, entropy coding, checkpoints."""

from r3mem_agents.model.config import ModelConfig
from r3mem_agents.model.explanation import Explanation
from r3mem_agents.model.memory_tokens import MemoryTokens
from r3mem_agents.model.reversible import ReversibleModel

__all__ = ["Explanation", "MemoryTokens", "ModelConfig", "ReversibleModel"]
