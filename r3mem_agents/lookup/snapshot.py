"""A scope's turns in arrays, as they are at one moment: the input of a lookup."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.postings import Run
from r3mem_agents.timestamps import Span

WORD_BITS = 64
"""Gists are compared in words of this many bits; shorter gists are padded with zeros."""

USER, DOCUMENT = 0, 1
"""Numbers of the role of the person whose memory it is, and of that of passages of documents; other
roles have other numbers."""


class Speaker(NamedTuple):
    """A speaker.

    Attributes:
        row: Row id, which identifies the name outside of a lookup.
        role: Number of the role, the same for all speakers in it.
        spellings: Hashed terms of each spelling of the words of the name.
    """

    row: int
    role: int
    spellings: tuple[frozenset[int], ...] = ()

    def matched(self, asked: Collection[int]) -> frozenset[int]:
        """Return the terms of those spellings whose terms are all asked for."""
        return frozenset[int]().union(*(one for one in self.spellings if one.issubset(asked)))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Turns of a scope at one moment; positions below are places in these arrays.

    Attributes:
        ids: Turn ids, ascending; ``(turns,)``.
        session: Session of each turn, numbered from 0 in order of appearance.
        speaker: Speaker of each turn, as a position in ``speakers``.
        time_us: Microseconds since 1970 in UTC.
        previous: Position of the turn before it in its session, -1 for the first.
        lengths: Number of terms.
        asks: Whether it asks something.
        gists: Gists as 64-bit words, ``(segments,)`` each: the first word of all gists, the second
            of all ...
        gist_turn: Position of the turn of each gist, ascending.
        gist_bits: Number of bits in a gist.
        postings: Which turns have which hashed terms.
        sessions: Row ids of the sessions, by number.
        speakers: Speakers, by number.
        span: From the time of the first turn to that of the last.
        silent: Which turns are excluded, as if nothing were said in them, though ``postings`` still
            has their terms; ``None`` means none.
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

    def without(self, ids: Collection[int]) -> Snapshot:
        """Return the same turns, but exclude those with some ids.

        They keep their positions, but count as if nothing were said in them.
        """
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

    def speaking(self) -> NDArray[np.bool_]:
        """Return which turns say anything: not those that are silent, or have an empty text."""
        speaking = self.lengths > 0
        speaking[self.gist_turn] = True
        return speaking
