"""The memory of an agent: what it does with a store and a reversible model."""

from r3mem_agents.memory.memory import CompressiveMemory
from r3mem_agents.memory.prompting import PromptMemory, prompt_memory

__all__ = ["CompressiveMemory", "PromptMemory", "prompt_memory"]
