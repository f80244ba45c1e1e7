"""Where memory tokens live: a database that sees bytes and integers, never text."""

from r3mem_agents.store.blocks import Terms
from r3mem_agents.store.places import check_there
from r3mem_agents.store.records import (
    UNMARKED,
    Addition,
    DescribedTurn,
    ExaminedTurn,
    IndexColumns,
    Label,
    Mark,
    ModelId,
    NewCode,
    NewTurn,
    Owned,
    Period,
    Scope,
    ScopeState,
    Totals,
    TurnRow,
)
from r3mem_agents.store.rows import possible_ids
from r3mem_agents.store.store import Store
from r3mem_agents.store.tokens import TokenRow

__all__ = [
    "UNMARKED",
    "Addition",
    "DescribedTurn",
    "ExaminedTurn",
    "IndexColumns",
    "Label",
    "Mark",
    "ModelId",
    "NewCode",
    "NewTurn",
    "Owned",
    "Period",
    "Scope",
    "ScopeState",
    "Store",
    "Terms",
    "TokenRow",
    "Totals",
    "TurnRow",
    "check_there",
    "possible_ids",
]
