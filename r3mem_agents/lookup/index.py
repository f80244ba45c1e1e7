"""A scope's turns in arrays: what a lookup scores, without text.

Arrays only grow at their end, so a snapshot stays valid while other threads add turns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from r3mem_agents.errors import StoreCorruptError
from r3mem_agents.lookup.hashes import TERM_BITS
from r3mem_agents.lookup.postings import Run, pack, with_run
from r3mem_agents.store import IndexColumns, ScopeState
from r3mem_agents.timestamps import Span

WORD_BYTES = 8
"""Gists are compared in words of 64 bits; shorter ones are padded with zeros on both sides."""


class Speaker(NamedTuple):
    """Role and name, and the hashed terms of each spelling of the words of the name."""

    role: str
    name: str | None
    spellings: tuple[frozenset[int], ...] = ()

    def matched(self, asked: Collection[int]) -> frozenset[int]:
        """The terms of those spellings that are wholly asked for."""
        return frozenset[int]().union(*(one for one in self.spellings if one.issubset(asked)))


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
        asks: Whether it asks something.
        gists: Gists as words, ``(segments,)`` each: the first word of all, the second of all ...
        gist_turn: Position of the turn of each gist, ascending.
        gist_bits: Bits of a gist.
        postings: Which turns have which hashed terms.
        sessions: Row ids of the sessions, by number.
        speakers: Speakers, by number.
        span: From the first time to the last.
        silent: Turns in which nothing was said as far as a lookup goes, though ``postings`` has
            their terms still; ``None`` for no turn.
    """

    ids: NDArray[np.int64]
    session: NDArray[np.int32]
    speaker: NDArray[np.int32]
    time_us: NDArray[np.int64]
    previous: NDArray[np.int32]
    lengths: NDArray[np.int32]
    asks: NDArray[np.bool_]
    gists: tuple[NDArray[np.uint64], ...]
    gist_turn: NDArray[np.int32]
    gist_bits: int
    postings: tuple[Run, ...]
    sessions: tuple[int, ...]
    speakers: tuple[Speaker, ...]
    span: Span
    silent: NDArray[np.bool_] | None = None

    def silence(self, ids: Collection[int]) -> Snapshot:
        """The same turns, but in those with some ids nothing was said: they are no evidence."""
        if not ids:
            return self
        silent = np.isin(self.ids, list(ids))
        spoken = ~silent
        heard = spoken[self.gist_turn]
        return replace(
            self,
            lengths=self.lengths * spoken,
            asks=self.asks & spoken,
            gists=tuple(word[heard] for word in self.gists),
            gist_turn=self.gist_turn[heard],
            silent=silent,
        )


class Growing:
    """An array that is extended at its end; views taken before stay as they are."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._room = np.empty(256, dtype)
        self._used = 0

    def extend(self, values: Any) -> None:
        """Copy values to the end, doubling the room when it is full."""
        end = self._used + len(values)
        if end > len(self._room):
            room = np.empty(max(end, 2 * len(self._room)), self._room.dtype)
            room[: self._used] = self.view
            self._room = room
        self._room[self._used : end] = values
        self._used = end

    @property
    def view(self) -> NDArray[Any]:
        """What is in it."""
        return self._room[: self._used]


class Index:
    """The arrays of one scope, kept up to date by adding rows.

    Args:
        state: Of the rows.
        gist_bytes: Bytes of a gist.
        asks: The hashed term of turns that ask something (``terms.ASKS``); no question searches it.
    """

    def __init__(self, state: ScopeState, gist_bytes: int, asks: bytes) -> None:
        self.state = state
        self._asking = _hashed(np.frombuffer(asks, np.uint8)[None])[0]
        self._gist_bytes = gist_bytes
        self._words = -(-gist_bytes // WORD_BYTES)
        self._ids = Growing(np.int64)
        self._session = Growing(np.int32)
        self._speaker = Growing(np.int32)
        self._time_us = Growing(np.int64)
        self._previous = Growing(np.int32)
        self._lengths = Growing(np.int32)
        self._asks = Growing(np.bool_)
        self._gists = [Growing(np.uint64) for _ in range(self._words)]
        self._gist_turn = Growing(np.int32)
        self._postings: tuple[Run, ...] = ()
        self._session_numbers: dict[int, int] = {}
        self._speaker_numbers: dict[int, int] = {}
        self._last_in_session: dict[int, int] = {}
        self._span: Span | None = None
        self.speakers: dict[int, Speaker] = {}

    @property
    def last(self) -> int:
        """Greatest turn id in it, 0 if it is empty."""
        ids = self._ids.view
        return int(ids[-1]) if len(ids) else 0

    def __len__(self) -> int:
        return len(self._ids.view)

    def add(self, rows: IndexColumns) -> None:
        """Append rows with ids greater than those in it; their speakers must be known.

        Raises:
            StoreCorruptError: Gists or terms are damaged; nothing is appended.
        """
        if not rows.ids:
            return
        first = len(self)
        gists, gist_sizes = _parts(rows.gists, self._gist_bytes, "gist")
        terms, lengths = _parts(rows.terms, TERM_BITS // 8, "index entry")
        owners = np.arange(first, first + len(rows.ids))
        padded = np.zeros((len(gists), self._words * WORD_BYTES), np.uint8)
        padded[:, : self._gist_bytes] = gists
        for word, values in zip(self._gists, padded.view(np.uint64).T, strict=True):
            word.extend(values)
        self._gist_turn.extend(np.repeat(owners, gist_sizes))
        hashed, owner = _hashed(terms), np.repeat(owners, lengths)
        asking = hashed == self._asking
        asks = np.zeros(len(owners), bool)
        asks[owner[asking] - first] = True
        self._asks.extend(asks)
        self._postings = with_run(self._postings, _run(hashed[~asking], owner[~asking]))
        self._lengths.extend(np.bincount(owner[~asking] - first, minlength=len(owners)))
        session = _numbered(rows.sessions, self._session_numbers)
        self._session.extend(session)
        self._previous.extend(self._before(session, first))
        self._speaker.extend(_numbered(rows.speakers, self._speaker_numbers))
        times = np.array(rows.times_us, np.int64)
        self._time_us.extend(times)
        known = self._span or Span(int(times[0]), int(times[0]))
        self._span = Span(min(known.start, int(times.min())), max(known.end, int(times.max())))
        self._ids.extend(rows.ids)

    def _before(self, session: NDArray[np.int32], first: int) -> NDArray[np.int64]:
        """Positions of the turns before new ones in their sessions, -1 for the first."""
        order = np.argsort(session, kind="stable")
        sessions, starts = np.unique(session[order], return_index=True)
        shifted = np.empty(len(session), np.int64)
        shifted[1:] = first + order[:-1]
        shifted[starts] = [self._last_in_session.get(one, -1) for one in sessions.tolist()]
        ends = np.append(starts[1:], len(session)) - 1
        self._last_in_session.update(
            zip(sessions.tolist(), (first + order[ends]).tolist(), strict=True)
        )
        previous = np.empty(len(session), np.int64)
        previous[order] = shifted
        return previous

    def snapshot(self) -> Snapshot:
        """Views of the arrays as they are now."""
        return Snapshot(
            ids=self._ids.view,
            session=self._session.view,
            speaker=self._speaker.view,
            time_us=self._time_us.view,
            previous=self._previous.view,
            lengths=self._lengths.view,
            asks=self._asks.view,
            gists=tuple(word.view for word in self._gists),
            gist_turn=self._gist_turn.view,
            gist_bits=8 * self._gist_bytes,
            postings=self._postings,
            sessions=tuple(self._session_numbers),
            speakers=tuple(self.speakers[row] for row in self._speaker_numbers),
            span=self._span or Span(0, 0),
        )


def _numbered(rows: Sequence[int], numbers: dict[int, int]) -> NDArray[np.int32]:
    """Numbers of row ids, in order of appearance; new ones are added."""
    for row in dict.fromkeys(rows):
        numbers.setdefault(row, len(numbers))
    return np.fromiter(map(numbers.__getitem__, rows), np.int32, len(rows))


def _parts(
    each: Sequence[bytes], size: int, what: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Parts of ``size`` bytes, ``(parts, size)``, and how many each of the rows has."""
    sizes = np.fromiter(map(len, each), np.int64, len(each))
    if np.any(sizes % size):
        raise StoreCorruptError(
            f"a {what} in the database is damaged; restore the file from a copy"
        )
    return np.frombuffer(b"".join(each), np.uint8).reshape(-1, size), sizes // size


def _hashed(terms: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Hashed terms, ``(terms, 3)``, as numbers."""
    parts = terms.astype(np.int64)
    numbers: NDArray[np.int64] = parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2]
    return numbers


def _run(hashed: NDArray[np.int64], owners: NDArray[np.int64]) -> Run:
    """Postings of the hashed terms of turns, one for each distinct term of a turn."""
    # Equal terms of a turn lie side by side, since they are stored in ascending order.
    new = np.ones(len(hashed), bool)
    new[1:] = (hashed[1:] != hashed[:-1]) | (owners[1:] != owners[:-1])
    starts = np.flatnonzero(new)
    return pack(hashed[starts], owners[starts], np.diff(starts, append=len(hashed)))


def likeness_to(
    gist: Iterable[np.uint64], gists: Sequence[NDArray[np.uint64]], bits: int
) -> NDArray[np.float64]:
    """How like gists are to one of them: 1 - 2 * hamming / bits, from -1 to 1.

    Args:
        gist: The words of one.
        gists: The words of all, ``(segments,)`` each.
        bits: Bits of a gist.
    """
    distance = np.zeros(len(gists[0]), np.int32)
    for word, words in zip(gist, gists, strict=True):
        distance += np.bitwise_count(words ^ word)
    alike: NDArray[np.float64] = 1 - 2 * distance / bits
    return alike
