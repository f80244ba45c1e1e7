"""Where memory tokens live: a database that sees bytes and integers, never text."""

from r3mem_agents.store.records import (
    Addition,
    IndexColumns,
    Label,
    NewTurn,
    Scope,
    ScopeState,
    Totals,
    TurnRow,
)
from r3mem_agents.store.store import Store

__all__ = [
    "Addition",
    "IndexColumns",
    "Label",
    "NewTurn",
    "Scope",
    "ScopeState",
    "Store",
    "Totals",
    "TurnRow",
]
