"""Turns into the rows of a store."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from r3mem_agents.errors import KeyTakenError
from r3mem_agents.memory.expansions import EXPANSIONS
from r3mem_agents.memory.moments import settle
from r3mem_agents.memory.reading import Reader
from r3mem_agents.memory.records import close_turn
from r3mem_agents.memory.sealing import Sealer
from r3mem_agents.store import Scope, Store
from r3mem_agents.types import Turn

if TYPE_CHECKING:
    from r3mem_agents.model import ReversibleModel

Slot = int | tuple[str | None, str]
"""What tells a turn of a batch from the others: its number, or its session and key."""


class Writer:
    """Writes to one scope."""

    def __init__(
        self, store: Store, scope: Scope, sealer: Sealer, model: ReversibleModel, reader: Reader
    ) -> None:
        self._store = store
        self._scope = scope
        self._sealer = sealer
        self._model = model
        self._reader = reader

    def write(self, turns: Sequence[Turn], session: str, *, replace: bool = False) -> list[Turn]:
        """Store turns, all or none; those whose session holds their key already stay as they are.

        Args:
            turns: Checked turns.
            session: Session of those that name none.
            replace: Let turns take the place of those with their key; of several the last.

        Returns:
            The turns as they are stored.
        """
        now = datetime.now(UTC)
        whole = [
            dataclasses.replace(
                turn, session=turn.session or session, time=settle(turn.time or now)
            )
            for turn in turns
        ]
        slots = [_slot(number, turn) for number, turn in enumerate(whole)]
        while True:
            stored = {} if replace else self._known(whole)
            new: dict[Slot, Turn] = {}
            for slot, turn in zip(slots, whole, strict=True):
                if replace:
                    new[slot] = turn
                elif slot not in stored:
                    new.setdefault(slot, turn)
            try:
                stored.update(zip(new, self._add(list(new.values()), replace), strict=True))
            except KeyTakenError:  # by another writer since; so each try finds more of them known
                continue
            return [stored[slot] for slot in slots]

    def _add(self, turns: Sequence[Turn], replace: bool) -> list[Turn]:
        segments = self._model.compress([turn.text for turn in turns]) if turns else []
        rows = [close_turn(self._sealer, *pair) for pair in zip(turns, segments, strict=True)]
        ids = self._store.add(self._scope, rows, replace=replace)
        EXPANSIONS.keep(self._model, segments, (turn.text for turn in turns))
        return [dataclasses.replace(turn, id=id_) for turn, id_ in zip(turns, ids, strict=True)]

    def _known(self, turns: Sequence[Turn]) -> dict[Slot, Turn]:
        # Those that are stored already.
        wanted: dict[str, list[str]] = {}
        for turn in turns:
            if turn.session is not None and turn.key is not None:
                wanted.setdefault(turn.session, []).append(turn.key)
        ids = [
            turn
            for session, keys in wanted.items()
            for turn in self._reader.keyed(session, keys).values()
        ]
        # Most turns have no key, and then the store has not to be asked.
        return {_slot(0, turn): turn for turn in self._reader.turns(ids)} if ids else {}


def _slot(number: int, turn: Turn) -> Slot:
    return number if turn.key is None else (turn.session, turn.key)
