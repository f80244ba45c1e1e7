"""A scope's turns in arrays, as they are at one moment: what a lookup scores."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.postings import Run
from r3mem_agents.timestamps import Span

WORD_BITS = 64
"""Gists are compared in words of so many bits; shorter ones are padded with zeros."""

USER = 0
"""The role of the person whose memory it is; other roles have other numbers."""


class Speaker(NamedTuple):
    """A speaker.

    Attributes:
        row: Row id, by which the name is known outside.
        role: Number of the role, the same for all speakers in it.
        spellings: Hashed terms of each spelling of the words of the name.
    """

    row: int
    role: int
    spellings: tuple[frozenset[int], ...] = ()

    def matched(self, asked: Collection[int]) -> frozenset[int]:
        """Return the terms of those spellings that are wholly asked for."""
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
        silent: Turns that are left out, as if nothing were said in them, though ``postings`` has
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

    def without(self, ids: Collection[int]) -> Snapshot:
        """Return the same turns, but as if nothing were said in those with some ids.

        They keep their positions, and are no evidence.
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
