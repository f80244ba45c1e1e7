"""The memory of an agent: what it does with a store and a reversible model."""

from r3mem_agents.memory.budget import count_tokens
from r3mem_agents.memory.calls import whole_calls
from r3mem_agents.memory.memory import CompressiveMemory
from r3mem_agents.memory.on_error import OnError, tolerated
from r3mem_agents.memory.prompting import (
    PromptMemory,
    is_recalled,
    mark_recalled,
    prompt_memory,
    without_recalled,
)
from r3mem_agents.memory.reach import RecallFrom, recall_sessions
from r3mem_agents.memory.recompressing import recompress
from r3mem_agents.memory.text_cache import clear_text_cache
from r3mem_agents.memory.validation import json_text
from r3mem_agents.memory.window import fit_window, newest_first

__all__ = [
    "CompressiveMemory",
    "OnError",
    "PromptMemory",
    "RecallFrom",
    "clear_text_cache",
    "count_tokens",
    "fit_window",
    "is_recalled",
    "json_text",
    "mark_recalled",
    "newest_first",
    "prompt_memory",
    "recall_sessions",
    "recompress",
    "tolerated",
    "whole_calls",
    "without_recalled",
]
