"""The rows that go into and come out of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.store.blocks import Terms
from r3mem_agents.store.varints import Integers


class Scope(NamedTuple):
    """Whose memory.

    Attributes:
        user: Keyed hash of the user's name.
        agent: Keyed hash of the agent's name.
        hidden: Both names, unreadable without the database's secret.
    """

    user: bytes
    agent: bytes
    hidden: bytes


class ScopeState(NamedTuple):
    """What tells a cached copy of a scope's rows that it is stale.

    Attributes:
        id: The scope's row; never reused.
        changes: Grows whenever turns of the scope are forgotten. New turns do not count: they
            are found by their ids, which only grow.
        rules: Digest of the rules that made the terms of its turns.
        marks: Grows whenever marks change that are not those of new turns.
    """

    id: int
    changes: int
    rules: bytes = b""
    marks: int = 0

    def has_rows_of(self, other: ScopeState | None) -> bool:
        """Whether all that another state had is still there, marks apart."""
        return other is not None and self[:3] == other[:3]


class Mark(NamedTuple):
    """What is special about a turn.

    Attributes:
        pinned: Whether it is pinned, and does not expire.
        expires_us: When it expires otherwise, in microseconds since 1970 in UTC.
        version_of: The turn whose earlier text this is.
        replaced_us: When that turn was edited, so that this text held until then.
    """

    pinned: bool = False
    expires_us: int | None = None
    version_of: int | None = None
    replaced_us: int | None = None

    def has_expired(self, now_us: int) -> bool:
        """Whether the turn is gone at a time."""
        return self.expires_us is not None and self.expires_us <= now_us and not self.pinned

    def is_hidden(self, now_us: int) -> bool:
        """Whether no verb shows the turn as one of its own."""
        return self.version_of is not None or self.has_expired(now_us)


UNMARKED = Mark()
"""There is nothing special about it, as about most turns."""


class ModelId(NamedTuple):
    """What writes memory tokens.

    Attributes:
        name: Of the checkpoint.
        expander: Fingerprint of what expands them.
        encoder: Fingerprint of what makes the gists among them.
    """

    name: str
    expander: str
    encoder: str


class Label(NamedTuple):
    """A session's or a speaker's name.

    Attributes:
        digest: Keyed hash by which the name is found.
        hidden: The name itself, unreadable without the database's secret.
    """

    digest: bytes
    hidden: bytes


class NewTurn(NamedTuple):
    """A turn to be written.

    Attributes:
        session: The session's name.
        speaker: Role and name of the speaker.
        time_us: Microseconds since 1970 in UTC.
        offset_s: Seconds east of UTC of the time zone in which the time was given.
        code: Memory tokens that bring the text back.
        gists: Soft memory tokens, one gist per segment.
        terms: Keyed hashes of the terms, three bytes each, ascending.
        key: Masked key, if there is one; unique in its session.
        extra: Hidden metadata, if there is any.
        tokens: Tokens of the text.
        text_bytes: UTF-8 bytes of the text.
        inferred: Tokens that were the model's first prediction.
        packed: Segments that fell back to the static coder.
        literal: Segments that fell back to literal bytes.
        expires_us: When it expires, if it does; as of ``Mark``.
    """

    session: Label
    speaker: Label
    time_us: int
    offset_s: int
    code: bytes
    gists: bytes
    terms: bytes
    key: bytes | None
    extra: bytes | None
    tokens: int
    text_bytes: int
    inferred: int
    packed: int
    literal: int
    expires_us: int | None = None


class TurnRow(NamedTuple):
    """A stored turn, as expanding it needs it.

    Attributes:
        id: Its row.
        session: Name of its session; ``None`` if damage has cut it off.
        speaker: Role and name of its speaker; ``None`` likewise.
        time_us: As of ``NewTurn``, like the following ones.
        intact: Whether all of this is what was written, the hidden names apart.
        mark: What is special about it; a damaged mark counts as none.
    """

    id: int
    session: Label | None
    speaker: Label | None
    time_us: int
    offset_s: int
    code: bytes
    gists: bytes
    key: bytes | None
    extra: bytes | None
    intact: bool
    mark: Mark = UNMARKED

    def as_text_of(self, turn: TurnRow) -> TurnRow:
        """The turn whose earlier text this is, with this text."""
        return self._replace(id=turn.id, key=turn.key, mark=turn.mark)


class DescribedTurn(NamedTuple):
    """What is said beside the text of a stored turn, as of ``TurnRow``.

    Attributes:
        id: Its row.
        session: Hidden name of its session; ``None`` if damage has cut it off.
        speaker: Hidden role and name of its speaker; ``None`` likewise.
        key: Masked key, if there is one.
        extra: Hidden metadata, if there is any.
    """

    id: int
    session: bytes | None
    speaker: bytes | None
    key: bytes | None
    extra: bytes | None


class ExaminedTurn(NamedTuple):
    """A stored turn of anybody, as checking it needs it.

    Attributes:
        row: The turn.
        scope: Whose it is; ``None`` if damage has cut it off.
        model: What wrote it; ``None`` likewise.
        terms: As of ``NewTurn``; ``None`` if there are none that can be read.
        rules: Digest of the rules that made the terms.
        text_bytes: As of ``NewTurn``; ``None`` if it cannot be read.
    """

    row: TurnRow
    scope: Scope | None
    model: ModelId | None
    terms: bytes | None
    rules: bytes | None
    text_bytes: int | None


class NewCode(NamedTuple):
    """Other memory tokens for the text of a stored turn.

    Attributes:
        before: The turn, as it was read.
        code: As of ``NewTurn``, like the following ones.
    """

    before: TurnRow
    code: bytes
    gists: bytes
    tokens: int
    text_bytes: int
    inferred: int
    packed: int
    literal: int


class Owned(NamedTuple):
    """What a user has with an agent.

    Attributes:
        scope: Whose.
        turns: How many turns.
        sessions: How many sessions.
    """

    scope: Scope
    turns: int
    sessions: int


class Period(NamedTuple):
    """A session, from when to when.

    Attributes:
        session: The session's name.
        turns: How many turns it has.
        first: Microseconds and offset, as of ``NewTurn``, of the turn that was said first.
        last: The same of the turn that was said last.
    """

    session: Label
    turns: int
    first: tuple[int, int]
    last: tuple[int, int]


class IndexColumns(NamedTuple):
    """Stored turns as a lookup scores them, a column after the other.

    Attributes:
        ids: Of the turns, ascending.
        sessions: Row ids of their sessions.
        speakers: Row ids of their speakers.
        times_us: Microseconds since 1970 in UTC.
        gists: As of ``NewTurn``, turn after turn.
        gist_sizes: How many bytes of them each turn has.
        terms: Of all.
    """

    ids: Integers
    sessions: Integers
    speakers: Integers
    times_us: Integers
    gists: bytes
    gist_sizes: Integers
    terms: Terms

    @classmethod
    def none(cls) -> IndexColumns:
        """Columns of no turns."""
        none = np.empty(0, np.int64)
        return cls(none, none, none, none, b"", none, Terms.of(()))

    def part(self, kept: NDArray[np.bool_]) -> IndexColumns:
        """Some of the turns."""
        if kept.all():
            return self
        gists = np.frombuffer(self.gists, np.uint8)[np.repeat(kept, self.gist_sizes)]
        return IndexColumns(
            self.ids[kept],
            self.sessions[kept],
            self.speakers[kept],
            self.times_us[kept],
            gists.tobytes(),
            self.gist_sizes[kept],
            self.terms.part(kept),
        )


class Addition(NamedTuple):
    """What brings a cached copy of a scope's rows up to date, or a part of that.

    Attributes:
        state: The state that they belong to.
        rows: Rows to append.
        speakers: Hidden role and name of the speakers in ``rows``, by row id, unless an earlier
            part named them.
        marks: Marks of turns, by their ids: in the first part, of all turns if marks have changed,
            or else of the new ones.
        unsound: Ids of the turns that are left out, since damage has left them no time or gists.
    """

    state: ScopeState
    rows: IndexColumns
    speakers: dict[int, bytes]
    marks: Mapping[int, Mark] = {}
    unsound: Sequence[int] = ()


class Removed(NamedTuple):
    """Turns that were removed.

    Attributes:
        ids: Their ids.
        sessions: Names of the sessions that they were in, as far as damage has left them.
        text_bytes: Sum of theirs, as of ``NewTurn``.
        code_bytes: Bytes of memory tokens that brought their texts back.
    """

    ids: Sequence[int]
    sessions: Sequence[Label]
    text_bytes: int
    code_bytes: int


class Totals(NamedTuple):
    """Sums over the turns of a scope."""

    turns: int = 0
    sessions: int = 0
    tokens: int = 0
    text_bytes: int = 0
    code_bytes: int = 0
    gist_bytes: int = 0
    term_bytes: int = 0
    inferred: int = 0
    packed: int = 0
    literal: int = 0
