"""Agent memory that compresses every turn into memory tokens and expands them byte for byte."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from r3mem_agents.errors import DamageWarning, OtherGistsWarning, R3MemError
from r3mem_agents.types import (
    Evidence,
    Explanation,
    LookupExplanation,
    MemoryStats,
    Recollection,
    Recollections,
    Recompression,
    Turn,
    UserStats,
    Verification,
)

if TYPE_CHECKING:
    from r3mem_agents.memory import (
        CompressiveMemory,
        OnError,
        PromptMemory,
        RecallFrom,
        count_tokens,
        fit_window,
        is_recalled,
        mark_recalled,
        newest_first,
        prompt_memory,
        recall_sessions,
        recompress,
        tolerated,
        whole_calls,
        without_recalled,
    )
    from r3mem_agents.model import MemoryTokens, ReversibleModel

__version__ = "0.1.0"

__all__ = [
    "CompressiveMemory",
    "DamageWarning",
    "Evidence",
    "Explanation",
    "LookupExplanation",
    "MemoryStats",
    "MemoryTokens",
    "OnError",
    "OtherGistsWarning",
    "PromptMemory",
    "R3MemError",
    "RecallFrom",
    "Recollection",
    "Recollections",
    "Recompression",
    "ReversibleModel",
    "Turn",
    "UserStats",
    "Verification",
    "__version__",
    "count_tokens",
    "fit_window",
    "is_recalled",
    "mark_recalled",
    "newest_first",
    "prompt_memory",
    "recall_sessions",
    "recompress",
    "tolerated",
    "whole_calls",
    "without_recalled",
]

# What loads torch or a database is loaded when it is first asked for (PEP 562).
_LAZY = {
    "CompressiveMemory": "r3mem_agents.memory",
    "OnError": "r3mem_agents.memory",
    "PromptMemory": "r3mem_agents.memory",
    "RecallFrom": "r3mem_agents.memory",
    "ReversibleModel": "r3mem_agents.model",
    "MemoryTokens": "r3mem_agents.model",
    "count_tokens": "r3mem_agents.memory",
    "fit_window": "r3mem_agents.memory",
    "is_recalled": "r3mem_agents.memory",
    "mark_recalled": "r3mem_agents.memory",
    "newest_first": "r3mem_agents.memory",
    "prompt_memory": "r3mem_agents.memory",
    "recall_sessions": "r3mem_agents.memory",
    "recompress": "r3mem_agents.memory",
    "tolerated": "r3mem_agents.memory",
    "whole_calls": "r3mem_agents.memory",
    "without_recalled": "r3mem_agents.memory",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
