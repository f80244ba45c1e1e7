"""Conversion of turns to the rows of a store, and back."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.memory.damage import NO_SESSION, NO_SPEAKER, NOT_AS_WRITTEN
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.term_hashes import term_hashes
from r3mem_agents.passages import found_by
from r3mem_agents.store import DescribedTurn, Label, Mark, NewTurn, Scope, TurnRow
from r3mem_agents.timestamps import from_integers, to_integers
from r3mem_agents.types import DamagedTurn, StoredTurn
from r3mem_agents.validation import metadata_json

if TYPE_CHECKING:
    from r3mem_agents.model import MemoryTokens

T = TypeVar("T")


class Names(NamedTuple):
    """The names in a turn."""

    session: str
    role: str
    name: str | None


class SpeakerName(NamedTuple):
    """The role of a speaker, and the name if there is one."""

    role: str
    name: str | None

    @property
    def label(self) -> str:
        """The name on one line, or else the role."""
        return " ".join((self.name or "").split()) or self.role


def scope_of(obfuscator: Obfuscator, user: str, agent: str) -> Scope:
    """Return a user and an agent as a store records them."""
    names = json.dumps([user, agent], separators=(",", ":"))
    return Scope(
        obfuscator.digest("user", user), obfuscator.digest("agent", agent), obfuscator.hide(names)
    )


def open_owner(obfuscator: Obfuscator, scope: Scope) -> tuple[str, str] | None:
    """Return the names of a user and an agent, if they are undamaged."""
    names = open_pair(obfuscator, scope.hidden)
    if names is None:
        return None
    user, agent, _ = scope_of(obfuscator, *names)
    return names if (user, agent) == (scope.user, scope.agent) else None


def open_pair(obfuscator: Obfuscator, hidden: bytes) -> tuple[str, str] | None:
    """Return the names of a user and an agent from ``Scope.hidden``, if that can be read."""
    return _tried(lambda: _names(obfuscator, hidden))


def _names(obfuscator: Obfuscator, hidden: bytes) -> tuple[str, str]:
    user, agent = json.loads(obfuscator.reveal(hidden))
    return str(user), str(agent)


def close_turn(obfuscator: Obfuscator, turn: StoredTurn, segment: MemoryTokens) -> NewTurn:
    """Return a turn as a row."""
    time_us, offset_s = to_integers(turn.time)
    speaker = json.dumps([turn.role, turn.name], separators=(",", ":"))
    extra = metadata_json(turn.metadata, "metadata") if turn.metadata else None
    return NewTurn(
        session=_label(obfuscator, "session", turn.session),
        speaker=_label(obfuscator, "speaker", speaker),
        time_us=time_us,
        offset_s=offset_s,
        code=segment.code,
        gists=segment.gists,
        terms=turn_terms(obfuscator, turn),
        key=None if turn.key is None else obfuscator.mask(turn.key),
        extra=None if extra is None else obfuscator.hide(extra),
        tokens=segment.tokens,
        text_bytes=segment.text_bytes,
        inferred=segment.inferred,
        packed=segment.packed,
        literal=segment.literal,
        expires_us=expires_us(turn),
    )


def turn_terms(obfuscator: Obfuscator, turn: StoredTurn) -> bytes:
    """Return the hashes of the terms by which lookups find a turn."""
    return term_hashes(obfuscator, turn.text, found_by(turn.role, turn.session, turn.metadata))


def expires_us(turn: StoredTurn) -> int | None:
    """Return when a turn expires, as a row has it."""
    return None if turn.expires is None else to_integers(turn.expires)[0]


def as_read(id: int, new: NewTurn) -> TurnRow:
    """Return a row that is about to be written in the form in which it will be read."""
    return TurnRow(
        id=id,
        session=new.session,
        speaker=new.speaker,
        time_us=new.time_us,
        offset_s=new.offset_s,
        code=new.code,
        gists=new.gists,
        key=new.key,
        extra=new.extra,
        intact=True,
        mark=Mark(expires_us=new.expires_us),
    )


def _label(obfuscator: Obfuscator, kind: str, value: str) -> Label:
    return Label(obfuscator.digest(kind, value), obfuscator.hide(value))


def open_names(obfuscator: Obfuscator, row: TurnRow) -> Names | None:
    """Return the names in a row, if it and they are undamaged."""
    if not row.intact or row.session is None or row.speaker is None:
        return None
    session = open_label(obfuscator, "session", row.session)
    speaker = open_label(obfuscator, "speaker", row.speaker)
    return None if session is None or speaker is None else Names(session, *json.loads(speaker))


def open_label(obfuscator: Obfuscator, kind: str, label: Label) -> str | None:
    """Return the name of a session or a speaker, if it is undamaged."""
    name = _tried(lambda: obfuscator.reveal(label.hidden))
    return name if name is not None and obfuscator.digest(kind, name) == label.digest else None


def open_turn(obfuscator: Obfuscator, row: TurnRow, names: Names, text: str) -> StoredTurn:
    """Return a turn, from its row, its names and its decoded text."""
    return StoredTurn(
        role=names.role,
        text=text,
        name=names.name,
        session=names.session,
        time=from_integers(row.time_us, row.offset_s),
        metadata={} if row.extra is None else json.loads(obfuscator.reveal(row.extra)),
        key=None if row.key is None else obfuscator.unmask(row.key),
        expires=None if row.mark.expires_us is None else from_integers(row.mark.expires_us, 0),
        id=row.id,
        pinned=row.mark.pinned,
    )


def described(
    obfuscator: Obfuscator, rows: Iterable[DescribedTurn]
) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield the id of each row, and what is said beside its text; ``None`` if that is damaged."""
    reveal = functools.cache(obfuscator.reveal)  # most turns share names

    @functools.cache
    def parsed(hidden: bytes) -> Any:
        return json.loads(obfuscator.reveal(hidden))

    def opened(row: DescribedTurn) -> dict[str, Any]:
        role, name = parsed(row.speaker or b"")
        return {
            "role": role,
            "name": name,
            "session": reveal(row.session or b""),
            "key": None if row.key is None else obfuscator.unmask(row.key),
            "metadata": {} if row.extra is None else dict(parsed(row.extra)),
        }

    for row in rows:
        yield row.id, _tried(functools.partial(opened, row))


def open_speaker(obfuscator: Obfuscator, hidden: bytes | None) -> SpeakerName:
    """Return the name of a speaker; an empty role and no name if it is damaged."""
    opened = _tried(lambda: json.loads(obfuscator.reveal(hidden or b"")))
    return SpeakerName("", None) if opened is None else SpeakerName(*opened)


def damaged_turn(
    obfuscator: Obfuscator, row: TurnRow, reason: str | None = None, owner: Scope | None = None
) -> DamagedTurn:
    """Return what is known about a damaged row.

    Args:
        obfuscator: The obfuscator of the database.
        row: The row.
        reason: The damage, if the row itself is intact.
        owner: The user and agent that it belongs to.
    """
    if reason is None:
        reason = NOT_AS_WRITTEN
        reason = NO_SPEAKER if row.speaker is None else reason
        reason = NO_SESSION if row.session is None else reason
    turn = row.mark.version_of
    if turn is not None:
        reason = f"what it said before an edit: {reason}"
    hidden = b"" if owner is None else owner.hidden
    user, agent = open_pair(obfuscator, hidden) or (None, None)
    return DamagedTurn(
        id=row.id if turn is None else turn,
        user=user,
        agent=agent,
        session=None if row.session is None else open_label(obfuscator, "session", row.session),
        time=_tried(lambda: from_integers(row.time_us, row.offset_s)),
        reason=reason,
    )


def _tried(read: Callable[[], T]) -> T | None:
    # The result of reading possibly damaged bytes; None if they cannot be read.
    try:
        return read()
    except (StoreCorruptError, ValueError, TypeError, OverflowError):
        return None
