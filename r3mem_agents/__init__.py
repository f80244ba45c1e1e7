"""Agent memory that compresses every turn into memory tokens and expands them byte for byte.

What is listed here is what users import, and what they catch. Authors of adapters find their tools
in ``r3mem_agents.prompts``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from r3mem_agents.errors import (
    CheckpointError,
    DamagedTurnError,
    DamageWarning,
    EngineError,
    ExpansionError,
    FormatError,
    InvalidInputError,
    MissingExtraError,
    ModelError,
    ModelMismatchError,
    NotFoundError,
    OtherGistsWarning,
    R3MemError,
    ReadBackError,
    ReadOnlyError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
)
from r3mem_agents.types import (
    DamagedTurn,
    Evidence,
    Explanation,
    LogEntry,
    LookupExplanation,
    MemoryStats,
    Receipt,
    Recollection,
    Recollections,
    Recompression,
    SessionStats,
    StoredTurn,
    Turn,
    UserStats,
    Verification,
)

if TYPE_CHECKING:
    from r3mem_agents.memory import CompressiveMemory, recompress
    from r3mem_agents.model import MemoryTokens, ReversibleModel

__version__ = "0.1.0"

__all__ = [
    "CheckpointError",
    "CompressiveMemory",
    "DamageWarning",
    "DamagedTurn",
    "DamagedTurnError",
    "EngineError",
    "Evidence",
    "ExpansionError",
    "Explanation",
    "FormatError",
    "InvalidInputError",
    "LogEntry",
    "LookupExplanation",
    "MemoryStats",
    "MemoryTokens",
    "MissingExtraError",
    "ModelError",
    "ModelMismatchError",
    "NotFoundError",
    "OtherGistsWarning",
    "R3MemError",
    "ReadBackError",
    "ReadOnlyError",
    "Receipt",
    "Recollection",
    "Recollections",
    "Recompression",
    "ReversibleModel",
    "SessionStats",
    "StoreCorruptError",
    "StoreError",
    "StoreUnavailableError",
    "StoredTurn",
    "Turn",
    "UserStats",
    "Verification",
    "__version__",
    "recompress",
]

# What loads the engine or a database is loaded when it is first asked for (PEP 562).
_LAZY = {
    "CompressiveMemory": "r3mem_agents.memory",
    "MemoryTokens": "r3mem_agents.model",
    "ReversibleModel": "r3mem_agents.model",
    "recompress": "r3mem_agents.memory",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
