"""The memory of an agent: what it does with a store and a reversible model."""

from r3mem_agents.memory.memory import CompressiveMemory
from r3mem_agents.memory.recompressing import recompress
from r3mem_agents.memory.text_cache import clear_text_cache

__all__ = ["CompressiveMemory", "clear_text_cache", "recompress"]
