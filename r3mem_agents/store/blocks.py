"""Blocks of turns: of which session and speaker each turn is, and which terms it has, as bytes.

Terms repeat in turns that lie together, so each is written once in a block, with the turns that
have it (an inverted index). Layout, before it is deflated (raw, RFC 1951)::

    distinct   varint: how many different terms there are
    turns      varint: how many turns there are
    ids        a varint for each turn: its id, less that of the turn before it
    sessions   a varint for each turn: row of its session
    speakers   a varint for each turn: row of its speaker
    counts     a varint for each term, ascending: how often turns have it
    places     of each term in turn, a varint for each time that a turn has it: the turn's place in
               the block, less the one before it; 0 is the same turn again
    terms      of each term, three bytes, less the term before it: the high bytes of all, then the
               middle bytes, then the low bytes
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from r3mem_agents.store.varints import Integers, read_varints, varints

TERM_BYTES = 3
"""Bytes of a term, which is a keyed hash."""


@dataclass(slots=True)
class Block:
    """Turns of one scope, by ascending id.

    Attributes:
        ids: Row of each turn.
        sessions: Row of its session.
        speakers: Row of its speaker.
        terms: Its terms, as of ``NewTurn``.
    """

    ids: list[int] = field(default_factory=list)
    sessions: list[int] = field(default_factory=list)
    speakers: list[int] = field(default_factory=list)
    terms: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def extend(self, other: Block) -> None:
        """Append the turns of another block, which must have greater ids."""
        self.ids += other.ids
        self.sessions += other.sessions
        self.speakers += other.speakers
        self.terms += other.terms

    def part(self, places: Sequence[int]) -> Block:
        """The turns at these places."""
        return Block(
            [self.ids[place] for place in places],
            [self.sessions[place] for place in places],
            [self.speakers[place] for place in places],
            [self.terms[place] for place in places],
        )


def encode(block: Block) -> bytes:
    """The bytes of a block."""
    sizes = [len(terms) // TERM_BYTES for terms in block.terms]
    hashed = _numbers(np.frombuffer(b"".join(block.terms), np.uint8).reshape(-1, TERM_BYTES))
    places = np.repeat(np.arange(len(block)), sizes)
    order = np.lexsort((places, hashed))
    places = places[order]
    distinct, starts, counts = np.unique(hashed[order], return_index=True, return_counts=True)
    steps = np.diff(places, prepend=0)
    steps[starts] = places[starts]
    columns: tuple[ArrayLike, ...] = (
        [len(distinct), len(block)],
        np.diff(np.array(block.ids, np.int64), prepend=0),
        block.sessions,
        block.speakers,
        counts,
        steps,
    )
    planes = _bytes(np.diff(distinct, prepend=0)).T
    whole = b"".join([varints(column) for column in columns]) + planes.tobytes()
    return zlib.compress(whole, 9, wbits=-15)


def decode(data: bytes, *, terms: bool = True) -> Block:
    """Undo ``encode``.

    Args:
        data: The bytes of a block.
        terms: Read terms too; turns come without any otherwise.

    Raises:
        ValueError: These are not the bytes of a block.
    """
    try:
        whole = np.frombuffer(zlib.decompress(data, wbits=-15), np.uint8)
        distinct = int(read_varints(whole[:9])[0])
        edge = len(whole) - TERM_BYTES * distinct
        numbers = read_varints(whole[:edge])
        count = int(numbers[1])
        ids, sessions, speakers = numbers[2 : 2 + 3 * count].reshape(3, count)
        if not terms:
            return Block(ids.cumsum().tolist(), sessions.tolist(), speakers.tolist(), [b""] * count)
        counts, steps = np.split(numbers[2 + 3 * count :], [distinct])
        hashed = _numbers(whole[edge:].reshape(TERM_BYTES, distinct).T).cumsum()
        ends = counts.cumsum()
        places = steps.cumsum()
        before = np.concatenate(([0], places))[ends - counts]
        places -= np.repeat(before, counts)
        repeated = np.repeat(hashed, counts)
        order = np.lexsort((repeated, places))
        each = _bytes(repeated[order]).tobytes()
        sizes = np.bincount(places, minlength=count) * TERM_BYTES
        cuts = [0, *sizes.cumsum().tolist()]
    except (zlib.error, IndexError) as error:
        raise ValueError(f"no block of turns: {error}") from error
    return Block(
        ids.cumsum().tolist(),
        sessions.tolist(),
        speakers.tolist(),
        [each[start:end] for start, end in zip(cuts[:-1], cuts[1:], strict=True)],
    )


def _numbers(terms: NDArray[np.uint8]) -> Integers:
    """Terms, ``(terms, 3)`` bytes each, as numbers."""
    parts = terms.astype(np.int64)
    numbers: Integers = parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2]
    return numbers


def _bytes(numbers: Integers) -> NDArray[np.uint8]:
    """Undo ``_numbers``."""
    return numbers.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 4 - TERM_BYTES :]
