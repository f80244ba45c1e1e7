"""The memory of an agent: what it does with a store and a reversible model."""

from r3mem_agents.memory.budget import count_tokens
from r3mem_agents.memory.memory import CompressiveMemory
from r3mem_agents.memory.prompting import (
    PromptMemory,
    is_recalled,
    mark_recalled,
    prompt_memory,
)
from r3mem_agents.memory.window import RecentTurns, fit_window

__all__ = [
    "CompressiveMemory",
    "PromptMemory",
    "RecentTurns",
    "count_tokens",
    "fit_window",
    "is_recalled",
    "mark_recalled",
    "prompt_memory",
]
