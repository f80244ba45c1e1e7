"""Rows of a store into turns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from r3mem_agents.errors import DamagedTurnError, ReadBackError
from r3mem_agents.memory.damage import ADVICE, NOT_EXPANDED, expanded, named, tell
from r3mem_agents.memory.handle import Handle
from r3mem_agents.memory.records import (
    as_read,
    damaged_turn,
    open_label,
    open_names,
    open_turn,
    turn_terms,
)
from r3mem_agents.memory.text_cache import TEXT_CACHE
from r3mem_agents.store import NewTurn, TurnRow
from r3mem_agents.types import DamagedTurn, StoredTurn

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens

EXPANDED_AT_ONCE = 256
"""Number of turns that are decoded together, which bounds the memory used."""


class Reader:
    """Reads one scope.

    If turns are damaged, the others are returned and a warning names the damaged ones.
    """

    def __init__(self, handle: Handle) -> None:
        self._store, self._scope = handle.store, handle.scope
        self._obfuscator, self._model = handle.obfuscator, handle.model

    def history(self, session: int | None) -> list[StoredTurn]:
        """Return every turn, or those of the session with this row id, in the order of writing.

        All are decoded again, without the cache: a whole history is seldom read, and then to check
        that it is still there.
        """
        return self.open(self._store.history(self._scope, session), self._model.expand)

    def sessions(self) -> list[str]:
        """Return the names of the sessions."""
        labels = self._store.sessions(self._scope)
        names = [open_label(self._obfuscator, "session", label) for label in labels]
        whole = [name for name in names if name is not None]
        if lost := len(names) - len(whole):
            tell(f"the names of {lost} sessions are damaged and left out. To do: {ADVICE}")
        return whole

    def turns(self, ids: Sequence[int], *, strict: bool = False) -> list[StoredTurn]:
        """Return the turns with these ids that exist, in the order given.

        Raises:
            DamagedTurnError: One of them is damaged, if ``strict``.
        """
        rows = self._store.turns(self._scope, ids)
        found = [rows[turn] for turn in ids if turn in rows]
        return self.open(found, partial(TEXT_CACHE.expand, self._model), strict=strict)

    def versions(self, turn: int) -> list[StoredTurn]:
        """Return the earlier texts of a turn that were kept, oldest first.

        Raises:
            NotFoundError: There is no such turn.
        """
        rows = self._store.versions(self._scope, turn)
        return self.open(rows, partial(TEXT_CACHE.expand, self._model))

    def try_out(self, turns: Sequence[StoredTurn], rows: Sequence[NewTurn]) -> None:
        """Read turns back from the rows that are about to be written.

        Raises:
            ReadBackError: If one of them would come back changed, or not at all.
        """
        written = [as_read(number, row) for number, row in enumerate(rows)]
        found, _ = self.read(written, self._model.expand)
        whole = {turn.id: turn for turn in found}
        for number, turn in enumerate(turns):
            if whole.get(number) != dataclasses.replace(turn, id=number, pinned=False):
                raise ReadBackError(
                    f"turn {number} of {len(turns)} ({turn.role}, session {turn.session!r}) does "
                    "not come back from what was about to be written, so nothing was written. "
                    "Something in this process or machine changes what the model computes: try "
                    "again in a fresh process, and please report what it takes to see this"
                )

    def renew_terms(self) -> None:
        """Recompute the terms of every turn by the rules of this process.

        Those of damaged turns stay as they are.

        Raises:
            StoreError: If nothing may be written.
        """
        self._store.check_writable("turns are found once their terms are made anew, but")
        done = False
        while not done:  # as long as another process adds turns meanwhile
            ids = self._store.every_turn_id(self._scope)
            rows = self._store.turns(self._scope, ids, earlier=True)
            terms: dict[int, bytes | None] = dict.fromkeys(ids)
            for turn in self.open([*rows.values()], self._model.expand):
                terms[turn.id] = turn_terms(self._obfuscator, turn)
            done = self._store.renew_terms(self._scope, terms)

    def open(
        self,
        rows: Sequence[TurnRow],
        expand: Callable[[Sequence[MemoryTokens]], list[str]],
        *,
        strict: bool = False,
    ) -> list[StoredTurn]:
        """Return the turns of rows, and warn of damaged ones.

        Args:
            rows: The rows.
            expand: Decodes memory tokens.
            strict: Raise instead of warning.

        Raises:
            DamagedTurnError: One of them is damaged, if ``strict``.
        """
        turns, damaged = self.read(rows, expand)
        if damaged and strict:
            raise DamagedTurnError(named(damaged))
        if damaged:
            tell(named(damaged))
        return turns

    def read(
        self, rows: Sequence[TurnRow], expand: Callable[[Sequence[MemoryTokens]], list[str]]
    ) -> tuple[list[StoredTurn], list[DamagedTurn]]:
        """Return the turns of intact rows, and what is known about the damaged ones."""
        from r3mem_agents.model import MemoryTokens  # loads numpy, which the model has done already

        turns: list[StoredTurn] = []
        damaged: list[DamagedTurn] = []
        for start in range(0, len(rows), EXPANDED_AT_ONCE):
            batch = rows[start : start + EXPANDED_AT_ONCE]
            opened = [(row, open_names(self._obfuscator, row)) for row in batch]
            intact = [(row, names) for row, names in opened if names is not None]
            damaged += [
                damaged_turn(self._obfuscator, row) for row, names in opened if names is None
            ]
            texts = expanded(expand, [MemoryTokens(row.code, row.gists) for row, _ in intact])
            for (row, names), text in zip(intact, texts, strict=True):
                if text is None:
                    damaged.append(damaged_turn(self._obfuscator, row, NOT_EXPANDED))
                else:
                    turns.append(open_turn(self._obfuscator, row, names, text))
        return turns, damaged
