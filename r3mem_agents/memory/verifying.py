"""Verification: reads everything in a file and compares it with what was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from r3mem_agents.analysis.rules import rules
from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.memory.damage import NOT_EXPANDED, each_apart, expanded
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.records import (
    Names,
    damaged_turn,
    open_names,
    open_owner,
    open_turn,
    turn_terms,
)
from r3mem_agents.store import ExaminedTurn, Store
from r3mem_agents.types import DamagedTurn, Verification

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

READ_AT_ONCE = 256
"""Number of turns that are read and decoded together, which bounds the memory used."""

NOT_READ = "its row cannot be read"
OTHER_LENGTH = "its text is not as long as its row says"
OTHER_TERMS = "its terms are not those of its text, so that lookups may miss it"


def verify(store: Store, obfuscator: Obfuscator, model: ReversibleModel) -> Verification:
    """Read a whole file, and return what is wrong with it."""
    problems: list[str] = []
    ids: list[int] = []
    try:
        problems += store.problems()
        problems += [
            f"row {place} of scopes: the names in it are not those that were written"
            for place, owned in enumerate(store.owned(), 1)
            if open_owner(obfuscator, owned.scope) is None
        ]
        ids = store.all_turn_ids()
    except StoreCorruptError as error:
        problems.append(str(error))
    damaged: list[DamagedTurn] = []
    for start in range(0, len(ids), READ_AT_ONCE):
        damaged += _damaged(store, obfuscator, model, ids[start : start + READ_AT_ONCE])
    return Verification(turns=len(ids), damaged=tuple(damaged), problems=tuple(problems))


def _damaged(
    store: Store, obfuscator: Obfuscator, model: ReversibleModel, ids: Sequence[int]
) -> Iterator[DamagedTurn]:
    def read(some: Sequence[int]) -> list[ExaminedTurn | None]:
        found = {turn.row.id: turn for turn in store.examined(some)}
        return [found.get(turn) for turn in some]  # None: forgotten since

    intact: list[tuple[ExaminedTurn, Names]] = []
    # A damaged page takes only its own turns with it.
    for turn_id, turn in zip(ids, each_apart(read, ids, StoreCorruptError), strict=True):
        if isinstance(turn, Exception):
            yield DamagedTurn(
                id=turn_id, user=None, agent=None, session=None, time=None, reason=NOT_READ
            )
        elif turn is not None and (names := open_names(obfuscator, turn.row)) is not None:
            intact.append((turn, names))
        elif turn is not None:
            yield damaged_turn(obfuscator, turn.row, owner=turn.scope)

    from r3mem_agents.model import MemoryTokens  # loads numpy, which the model has done already

    tokens = [MemoryTokens(turn.row.code, turn.row.gists) for turn, _ in intact]
    for (turn, names), text in zip(intact, expanded(model.expand, tokens), strict=True):
        if reason := _reason(obfuscator, turn, names, text):
            yield damaged_turn(obfuscator, turn.row, reason, turn.scope)


def _reason(
    obfuscator: Obfuscator, turn: ExaminedTurn, names: Names, text: str | None
) -> str | None:
    if text is None:
        return NOT_EXPANDED
    if len(text.encode()) != turn.text_bytes:
        return OTHER_LENGTH
    if turn.rules != rules():
        return None  # outdated terms are made anew at the next lookup
    terms = turn_terms(obfuscator, open_turn(obfuscator, turn.row, names, text))
    return None if terms == turn.terms else OTHER_TERMS
