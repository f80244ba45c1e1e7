"""The memory of an agent: what it does with a store and a reversible model."""

from r3mem_agents.memory.memory import CompressiveMemory
from r3mem_agents.memory.prompting import (
    PromptMemory,
    is_recalled,
    mark_recalled,
    prompt_memory,
)

__all__ = ["CompressiveMemory", "PromptMemory", "is_recalled", "mark_recalled", "prompt_memory"]
