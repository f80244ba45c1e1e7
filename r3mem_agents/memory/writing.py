"""Turns into the rows of a store."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from r3mem_agents.errors import KeyTakenError, NotFoundError, StaleTermsError
from r3mem_agents.memory.handle import Handle
from r3mem_agents.memory.reading import Reader
from r3mem_agents.memory.records import close_turn, expires_us, open_label
from r3mem_agents.memory.text_cache import TEXT_CACHE
from r3mem_agents.store import NewTurn
from r3mem_agents.timestamps import moment, settle
from r3mem_agents.types import Receipt, StoredTurn, Turn

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens

NEW = 0
"""The id of a turn that has none yet: those of a store begin at 1."""

Slot = int | tuple[str, str]
"""What tells a turn of a batch from the others: its number, or its session and key."""


class Writer:
    """Writes to one scope."""

    def __init__(self, handle: Handle) -> None:
        self._handle, self._reader = handle, Reader(handle)
        self._store, self._scope = handle.store, handle.scope
        self._obfuscator, self._model = handle.obfuscator, handle.model
        self._door = handle.hidden_door

    def write(
        self,
        turns: Sequence[Turn],
        *,
        replace: bool = False,
        forget: Sequence[int] = (),
    ) -> list[StoredTurn]:
        """Store turns, all or none.

        A turn whose session holds its key already is a retry if it says the same, and an edit if
        not: the stored turn keeps its id, and so its place, and its time unless the edit has one.

        Args:
            turns: Checked turns.
            replace: Write turns anew, with other ids, in place of those with their key; of several
                the last.
            forget: Ids of turns to remove in the same transaction.

        Returns:
            The turns as they are stored.
        """
        self._store.check_writable()
        now = datetime.now(UTC)
        whole = [_filled_in(turn, self._handle.session, now) for turn in turns]
        slots = [_slot(number, turn) for number, turn in enumerate(whole)]
        while True:
            known = {} if replace else self._known(whole, forget)
            wanted: dict[Slot, StoredTurn] = dict(known)
            for slot, turn, given in zip(slots, whole, turns, strict=True):
                before = wanted.get(slot)
                if replace or before is None:
                    wanted[slot] = turn
                elif _content(turn) != _content(before):
                    time = before.time if given.time is None else turn.time
                    edited = dataclasses.replace(turn, time=time, pinned=before.pinned)
                    wanted[slot] = dataclasses.replace(edited, id=before.id)
                elif turn.expires != before.expires:
                    wanted[slot] = dataclasses.replace(before, expires=turn.expires)
            changed = {slot: turn for slot, turn in wanted.items() if turn is not known.get(slot)}
            prolonged = [
                changed.pop(slot)
                for slot, before in known.items()
                if slot in changed and _said_alike(changed[slot], before)
            ]
            try:
                written = self._write(list(changed.values()), prolonged, replace, forget)
            except (KeyTakenError, NotFoundError):
                continue  # another writer stored or forgot one of them since
            except StaleTermsError:
                self._reader.renew_terms()
                continue
            wanted.update(zip(changed, written, strict=True))
            return [wanted[slot] for slot in slots]

    def edit(
        self, turn_id: int, text: str, *, keep: bool, pinned: bool | None = None
    ) -> StoredTurn:
        """Give a turn another text, and return it.

        Args:
            turn_id: Its id.
            text: The text.
            keep: Keep what it was as an earlier text; else no earlier text of it is left.
            pinned: Pin it, or let go of it; ``None`` leaves that as it is.

        Raises:
            NotFoundError: There is no such turn.
        """
        self._store.check_writable()
        while True:
            rows = self._store.turns(self._scope, [turn_id])
            if not rows:
                raise NotFoundError(f"no turn {turn_id} in this memory; nothing was edited")
            expand = partial(TEXT_CACHE.expand, self._model)
            [before] = self._reader.open([*rows.values()], expand, strict=True)
            turn = dataclasses.replace(
                before, text=text, pinned=before.pinned if pinned is None else pinned
            )
            if keep and text == before.text:
                if turn.pinned != before.pinned:
                    self.pin([turn_id], pinned=turn.pinned)
                return turn
            tokens, [row] = self._compressed([turn])
            try:
                self._store.edit(
                    self._scope, rows[turn_id], row, keep=keep, pinned=pinned, door=self._door
                )
            except NotFoundError:
                continue  # another writer edited or forgot it since
            except StaleTermsError:
                self._reader.renew_terms()
                continue
            TEXT_CACHE.keep(self._model, tokens, [text])
            return turn

    def pin(self, ids: Sequence[int], *, pinned: bool) -> None:
        """Pin turns, or let go of them.

        Raises:
            NotFoundError: One of them does not exist; nothing is done then.
        """
        self._store.pin(self._scope, ids, pinned=pinned, door=self._door)

    def forget(self, ids: Sequence[int] | None, session: int | None) -> Receipt:
        """Remove turns, a session, or everything where both are ``None``.

        Args:
            ids: Ids of the turns.
            session: Row id of the session.

        Returns:
            What was removed.
        """
        try:
            removed = self._store.forget(self._scope, ids=ids, session=session, door=self._door)
        finally:
            TEXT_CACHE.clear()
        names = [open_label(self._obfuscator, "session", label) for label in removed.sessions]
        return Receipt(
            turns=len(removed.ids),
            turn_ids=tuple(removed.ids),
            sessions=tuple(name for name in names if name is not None),
            text_bytes=removed.text_bytes,
            code_bytes=removed.code_bytes,
            scrubbed=datetime.now(UTC),
            file_hash=self._store.file_hash(),
        )

    def _compressed(self, turns: Sequence[StoredTurn]) -> tuple[list[MemoryTokens], list[NewTurn]]:
        # What turns become, tried out.
        tokens = self._model.compress([turn.text for turn in turns]) if turns else []
        rows = [close_turn(self._obfuscator, *each) for each in zip(turns, tokens, strict=True)]
        self._reader.try_out(turns, rows)
        return tokens, rows

    def _write(
        self,
        turns: Sequence[StoredTurn],
        prolonged: Sequence[StoredTurn],
        replace: bool,
        forget: Sequence[int],
    ) -> list[StoredTurn]:
        # Those with an id are edits of stored turns; of those prolonged only the expiry is another.
        tokens, rows = self._compressed(turns)
        expiries = {turn.id: expires_us(turn) for turn in prolonged}
        new = [row for row, turn in zip(rows, turns, strict=True) if turn.id == NEW]
        edits = {turn.id: row for row, turn in zip(rows, turns, strict=True) if turn.id != NEW}
        try:
            ids = self._store.add(
                self._scope,
                new,
                replace=replace,
                edits=edits,
                expiries=expiries,
                doomed=forget,
                door=self._door,
            )
        finally:
            if forget:
                TEXT_CACHE.clear()
        given = iter(ids)
        TEXT_CACHE.keep(self._model, tokens, (turn.text for turn in turns))
        return [
            dataclasses.replace(turn, id=next(given) if turn.id == NEW else turn.id)
            for turn in turns
        ]

    def _known(self, turns: Sequence[StoredTurn], forget: Sequence[int]) -> dict[Slot, StoredTurn]:
        # Those that are stored already, and will be.
        wanted: dict[str, list[str]] = {}
        for turn in turns:
            if turn.key is not None:
                wanted.setdefault(turn.session, []).append(turn.key)
        ids = [
            turn
            for session, keys in wanted.items()
            for turn in self._handle.keyed(session, keys).values()
            if turn not in forget
        ]
        # Most turns have no key, and then the store need not be asked.
        return (
            {_slot(0, turn): turn for turn in self._reader.turns(ids, strict=True)} if ids else {}
        )


def _filled_in(turn: Turn, session: str, now: datetime) -> StoredTurn:
    return StoredTurn(
        role=turn.role,
        text=turn.text,
        name=turn.name,
        session=turn.session or session,
        time=settle(turn.time or now),
        metadata=turn.metadata or {},
        key=turn.key,
        expires=None if turn.expires is None else moment(turn.expires, now),
        id=NEW,
    )


def _slot(number: int, turn: StoredTurn) -> Slot:
    return number if turn.key is None else (turn.session, turn.key)


def _said_alike(turn: StoredTurn, before: StoredTurn) -> bool:
    return turn.time == before.time and _content(turn) == _content(before)


def _content(turn: StoredTurn) -> tuple[str, str | None, str, str]:
    # As JSON, since 1 equals True in Python. Neither the time nor the order of metadata counts.
    return turn.role, turn.name, turn.text, json.dumps(dict(turn.metadata), sort_keys=True)
