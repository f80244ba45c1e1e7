"""A scope's turns in arrays that grow at their end, so that a snapshot of them stays valid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from r3mem_agents.lookup.postings import Run, with_run
from r3mem_agents.lookup.snapshot import WORD_BITS, Snapshot, Speaker
from r3mem_agents.timestamps import Span


class Columns(NamedTuple):
    """Turns to append, by column.

    Attributes:
        ids: Turn ids, ascending, greater than those in the index; ``(turns,)``.
        sessions: Row ids of their sessions.
        speakers: Row ids of their speakers.
        times_us: Microseconds since 1970 in UTC.
        gists: Gists as 64-bit words, ``(gists, words)``, turn after turn.
        gist_counts: Number of gists of each turn, ``(turns,)``.
        terms: Hashed terms that turns say, ascending; ``(terms,)``.
        times: How often they say each of them.
        places: Which of these turns does, each time: of each term in turn, ascending.
        asks: Whether each turn asks something, ``(turns,)``.
    """

    ids: NDArray[np.int64]
    sessions: NDArray[np.int64]
    speakers: NDArray[np.int64]
    times_us: NDArray[np.int64]
    gists: NDArray[np.uint64]
    gist_counts: NDArray[np.int64]
    terms: NDArray[np.int64]
    times: NDArray[np.int64]
    places: NDArray[np.integer]
    asks: NDArray[np.bool_]


class Growing:
    """An array that is extended at its end; views taken before stay as they are."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._room = np.empty(256, dtype)
        self._used = 0
        self._new: list[NDArray[Any]] = []

    def extend(self, values: ArrayLike) -> None:
        """Add values at the end."""
        self._new.append(np.asarray(values, self._room.dtype))

    @property
    def view(self) -> NDArray[Any]:
        """A view of the values; what came since the last one is copied at once."""
        if self._new:
            start, end = self._used, self._used + sum(map(len, self._new))
            if end > len(self._room):
                room = np.empty(max(end, 2 * start), self._room.dtype)
                room[:start] = self._room[:start]
                self._room = room
            np.concatenate(self._new, out=self._room[start:end])
            self._used, self._new = end, []
        return self._room[: self._used]


class Index:
    """The arrays of one scope, kept up to date by appending columns.

    Args:
        gist_bits: Number of bits in a gist.
    """

    def __init__(self, gist_bits: int) -> None:
        self._gist_bits = gist_bits
        self._ids = Growing(np.int64)
        self._session = Growing(np.int32)
        self._speaker = Growing(np.int32)
        self._time_us = Growing(np.int64)
        self._previous = Growing(np.int32)
        self._lengths = Growing(np.int32)
        self._asks = Growing(np.bool_)
        self._gists = [Growing(np.uint64) for _ in range(-(-gist_bits // WORD_BITS))]
        self._gist_turn = Growing(np.int32)
        self._postings: tuple[Run, ...] = ()
        self._turns = 0
        self._session_numbers: dict[int, int] = {}
        self._speaker_numbers: dict[int, int] = {}
        self._speakers: dict[int, Speaker] = {}
        self._last_in_session: dict[int, int] = {}
        self._span: Span | None = None

    @property
    def last(self) -> int:
        """Greatest turn id in it, 0 if it is empty."""
        ids = self._ids.view
        return int(ids[-1]) if len(ids) else 0

    def __len__(self) -> int:
        return self._turns

    def add_speakers(self, speakers: Iterable[Speaker]) -> None:
        """Add speakers, before the first turns of each of them are added."""
        self._speakers.update((one.row, one) for one in speakers)

    def add(self, columns: Columns) -> None:
        """Append turns."""
        first, turns = self._turns, len(columns.ids)
        if not turns:
            return
        places = np.arange(first, first + turns)
        for word, values in zip(self._gists, columns.gists.T, strict=True):
            word.extend(values)
        self._gist_turn.extend(np.repeat(places, columns.gist_counts))
        self._asks.extend(columns.asks)
        run = Run.of(first, turns, columns.terms, columns.times, columns.places)
        self._postings = with_run(self._postings, run)
        self._lengths.extend(np.bincount(columns.places.astype(np.intp), minlength=turns))
        session = _numbered(columns.sessions, self._session_numbers)
        self._session.extend(session)
        self._previous.extend(self._before(session, first))
        self._speaker.extend(_numbered(columns.speakers, self._speaker_numbers))
        times = columns.times_us
        self._time_us.extend(times)
        known = self._span or Span(int(times[0]), int(times[0]))
        self._span = Span(min(known.start, int(times.min())), max(known.end, int(times.max())))
        self._ids.extend(columns.ids)
        self._turns += turns

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
        """Return views of the arrays as they are now."""
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
            gist_bits=self._gist_bits,
            postings=self._postings,
            sessions=tuple(self._session_numbers),
            speakers=tuple(self._speakers[row] for row in self._speaker_numbers),
            span=self._span or Span(0, 0),
        )


def _numbered(rows: NDArray[np.int64], numbers: dict[int, int]) -> NDArray[np.int32]:
    """Numbers for row ids, in order of appearance; new ones are added."""
    distinct, first, which = np.unique(rows, return_index=True, return_inverse=True)
    for row in distinct[np.argsort(first)].tolist():
        numbers.setdefault(row, len(numbers))
    return np.array([numbers[row] for row in distinct.tolist()], np.int32)[which]
