"""A scope's turns in arrays: what a lookup scores, without text.

Arrays only grow at their end, so a snapshot stays valid while other threads add turns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.memory.sealing import TERM_BYTES
from r3mem_agents.store import IndexRow, ScopeState

WORD_BYTES = 8
"""Gists are compared in words of 64 bits; shorter ones are padded with zeros on both sides."""


class Speaker(NamedTuple):
    """Role and name, and the hashed terms by which a question may name the speaker."""

    role: str
    name: str | None
    terms: frozenset[int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Turns of a scope at one moment; positions below are places in these arrays.

    Attributes:
        ids: Turn ids, ascending; ``(turns,)``.
        session: Session of each turn, numbered from 0 in order of appearance.
        speaker: Speaker of each turn, a place in ``speakers``.
        time_us: Microseconds since 1970 in UTC.
        previous: Position of the turn before it in its session, -1 for the first.
        lengths: Number of terms.
        gists: Gists as words, ``(segments, words)``.
        gist_turn: Position of the turn of each gist.
        terms: Hashed term of each posting; a turn has one posting per distinct term.
        term_turn: Position of the turn of each posting.
        term_count: How often the turn has the term.
        sessions: Row ids of the sessions, by number.
        speakers: Speakers, by number.
    """

    ids: NDArray[np.int64]
    session: NDArray[np.int32]
    speaker: NDArray[np.int32]
    time_us: NDArray[np.int64]
    previous: NDArray[np.int32]
    lengths: NDArray[np.int32]
    gists: NDArray[np.uint64]
    gist_turn: NDArray[np.int32]
    terms: NDArray[np.uint32]
    term_turn: NDArray[np.int32]
    term_count: NDArray[np.int32]
    sessions: tuple[int, ...]
    speakers: tuple[Speaker, ...]

    def silence(self, ids: Collection[int]) -> Snapshot:
        """The same turns, but these have neither terms nor gists: they are no evidence."""
        speaking = ~np.isin(self.ids, list(ids))
        gists, postings = speaking[self.gist_turn], speaking[self.term_turn]
        return replace(
            self,
            gists=self.gists[gists],
            gist_turn=self.gist_turn[gists],
            terms=self.terms[postings],
            term_turn=self.term_turn[postings],
            term_count=self.term_count[postings],
        )


class Growing:
    """An array that is extended at its end; views taken before stay as they are."""

    def __init__(self, dtype: DTypeLike, *row: int) -> None:
        self._room = np.empty((256, *row), dtype)
        self._used = 0

    def extend(self, values: Any) -> None:
        """Copy values to the end, doubling the room when it is full."""
        end = self._used + len(values)
        if end > len(self._room):
            room = np.empty(
                (max(end, 2 * len(self._room)), *self._room.shape[1:]), self._room.dtype
            )
            room[: self._used] = self.view
            self._room = room
        self._room[self._used : end] = values
        self._used = end

    @property
    def view(self) -> NDArray[Any]:
        """What is in it."""
        return self._room[: self._used]


class Index:
    """The arrays of one scope, kept up to date by adding rows."""

    def __init__(self, state: ScopeState, gist_bytes: int) -> None:
        self.state = state
        self._gist_bytes = gist_bytes
        self._words = -(-gist_bytes // WORD_BYTES)
        self._ids = Growing(np.int64)
        self._session = Growing(np.int32)
        self._speaker = Growing(np.int32)
        self._time_us = Growing(np.int64)
        self._previous = Growing(np.int32)
        self._lengths = Growing(np.int32)
        self._gists = Growing(np.uint64, self._words)
        self._gist_turn = Growing(np.int32)
        self._terms = Growing(np.uint32)
        self._term_turn = Growing(np.int32)
        self._term_count = Growing(np.int32)
        self._session_numbers: dict[int, int] = {}
        self._speaker_numbers: dict[int, int] = {}
        self._last_in_session: dict[int, int] = {}
        self.speakers: dict[int, Speaker] = {}

    @property
    def last(self) -> int:
        """Greatest turn id in it, 0 if it is empty."""
        ids = self._ids.view
        return int(ids[-1]) if len(ids) else 0

    def __len__(self) -> int:
        return len(self._ids.view)

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Append rows with ids greater than those in it; their speakers must be known."""
        if not rows:
            return
        first = len(self)
        session, previous = [], []
        for position, row in enumerate(rows, first):
            number = self._session_numbers.setdefault(row.session, len(self._session_numbers))
            session.append(number)
            previous.append(self._last_in_session.get(number, -1))
            self._last_in_session[number] = position
        self._session.extend(session)
        self._previous.extend(previous)
        self._speaker.extend(
            [
                self._speaker_numbers.setdefault(row.speaker, len(self._speaker_numbers))
                for row in rows
            ]
        )
        self._time_us.extend([row.time_us for row in rows])
        self._add_gists(first, rows)
        self._add_terms(first, rows)
        self._ids.extend([row.id for row in rows])

    def _add_gists(self, first: int, rows: Sequence[IndexRow]) -> None:
        sizes = np.array([len(row.gists) for row in rows])
        if np.any(sizes % self._gist_bytes):
            raise _damaged("gist")
        padded = np.zeros((sizes.sum() // self._gist_bytes, self._words * WORD_BYTES), np.uint8)
        raw = np.frombuffer(b"".join(row.gists for row in rows), np.uint8)
        padded[:, : self._gist_bytes] = raw.reshape(-1, self._gist_bytes)
        self._gists.extend(padded.view(np.uint64))
        positions = np.arange(first, first + len(rows))
        self._gist_turn.extend(np.repeat(positions, sizes // self._gist_bytes))

    def _add_terms(self, first: int, rows: Sequence[IndexRow]) -> None:
        sizes = np.array([len(row.terms) for row in rows])
        if np.any(sizes % TERM_BYTES):
            raise _damaged("index entry")
        lengths = sizes // TERM_BYTES
        raw = np.frombuffer(b"".join(row.terms for row in rows), np.uint8)
        parts = raw.reshape(-1, TERM_BYTES).astype(np.uint32)
        terms = parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2]
        owners = np.repeat(np.arange(first, first + len(rows)), lengths)
        # Equal terms of a turn lie side by side, since they are stored in ascending order.
        new = np.ones(len(terms), bool)
        new[1:] = (terms[1:] != terms[:-1]) | (owners[1:] != owners[:-1])
        starts = np.flatnonzero(new)
        self._terms.extend(terms[starts])
        self._term_turn.extend(owners[starts])
        self._term_count.extend(np.diff(starts, append=len(terms)))
        self._lengths.extend(lengths)

    def snapshot(self) -> Snapshot:
        """Views of the arrays as they are now."""
        return Snapshot(
            ids=self._ids.view,
            session=self._session.view,
            speaker=self._speaker.view,
            time_us=self._time_us.view,
            previous=self._previous.view,
            lengths=self._lengths.view,
            gists=self._gists.view,
            gist_turn=self._gist_turn.view,
            terms=self._terms.view,
            term_turn=self._term_turn.view,
            term_count=self._term_count.view,
            sessions=tuple(self._session_numbers),
            speakers=tuple(self.speakers[row] for row in self._speaker_numbers),
        )


def gist_words(gist: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """One gist, ``(gist_bytes,)``, as the words that an index holds."""
    padded = np.zeros(-(-len(gist) // WORD_BYTES) * WORD_BYTES, np.uint8)
    padded[: len(gist)] = gist
    return padded.view(np.uint64)


def likeness_to(
    gist: NDArray[np.uint64], gists: NDArray[np.uint64], bits: int
) -> NDArray[np.float64]:
    """How like gists are to one of them: 1 - 2 * hamming / bits, from -1 to 1."""
    distance = np.bitwise_count(gists ^ gist).sum(axis=1, dtype=np.int64)
    alike: NDArray[np.float64] = 1 - 2 * distance / bits
    return alike


def _damaged(what: str) -> StoreCorruptError:
    return StoreCorruptError(f"a {what} in the database is damaged; restore the file from a copy")
