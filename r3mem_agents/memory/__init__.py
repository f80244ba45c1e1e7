"""The memory of an agent: what it does with a store and a reversible model."""

from r3mem_agents.memory.memory import CompressiveMemory

__all__ = ["CompressiveMemory"]
