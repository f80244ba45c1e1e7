"""The memory of an agent: what it does with a store and a reversible model."""

from r3mem_agents.memory.memory import CompressiveMemory
from r3mem_agents.memory.window import RecentTurns, fit_window

__all__ = ["CompressiveMemory", "RecentTurns", "fit_window"]
