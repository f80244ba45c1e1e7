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
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from r3mem_agents.store.varints import Integers, read_varints, varints

TERM_BYTES = 3
"""Bytes of a term, which is a keyed hash."""


class Terms(NamedTuple):
    """Terms of some turns, term after term in each block of them.

    Attributes:
        hashed: Each term as a number as often as it is said; equal ones of a turn are adjacent.
        places: Place of the turn that says it.
    """

    hashed: Integers
    places: Integers

    @classmethod
    def of(cls, terms: Sequence[bytes]) -> Terms:
        """Terms of each turn, as of ``NewTurn``, in this order."""
        sizes = [len(each) // TERM_BYTES for each in terms]
        hashed = _numbers(np.frombuffer(b"".join(terms), np.uint8).reshape(-1, TERM_BYTES))
        places = np.repeat(np.arange(len(terms)), sizes)
        order = np.lexsort((places, hashed))
        return cls(hashed[order], places[order])

    def of_each(self, turns: int) -> list[bytes]:
        """Undo ``of``, given how many turns there are."""
        order = np.lexsort((self.hashed, self.places))
        each = _bytes(self.hashed[order]).tobytes()
        sizes = np.bincount(self.places, minlength=turns) * TERM_BYTES
        cuts = [0, *sizes.cumsum().tolist()]
        return [each[start:end] for start, end in zip(cuts[:-1], cuts[1:], strict=True)]

    def part(self, kept: NDArray[np.bool_]) -> Terms:
        """Those of some turns, which alone are numbered."""
        there = kept[self.places]
        return Terms(self.hashed[there], (kept.cumsum() - 1)[self.places[there]])


class Columns(NamedTuple):
    """Turns of one scope, by ascending id, as arrays.

    Attributes:
        ids: Row of each turn.
        sessions: Row of its session.
        speakers: Row of its speaker.
        terms: Terms of all.
    """

    ids: Integers
    sessions: Integers
    speakers: Integers
    terms: Terms

    @classmethod
    def join(cls, blocks: Sequence[Columns]) -> Columns:
        """The turns of several blocks."""
        if len(blocks) == 1:
            return blocks[0]
        firsts = np.cumsum([0, *(len(block.ids) for block in blocks)])
        places = [
            block.terms.places + first for block, first in zip(blocks, firsts[:-1], strict=True)
        ]
        return cls(
            np.concatenate([block.ids for block in blocks]),
            np.concatenate([block.sessions for block in blocks]),
            np.concatenate([block.speakers for block in blocks]),
            Terms(np.concatenate([block.terms.hashed for block in blocks]), np.concatenate(places)),
        )

    def part(self, kept: NDArray[np.bool_]) -> Columns:
        """Some of the turns."""
        if kept.all():
            return self
        return Columns(
            self.ids[kept], self.sessions[kept], self.speakers[kept], self.terms.part(kept)
        )


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
    hashed, places = Terms.of(block.terms)
    distinct, starts, counts = np.unique(hashed, return_index=True, return_counts=True)
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
    read = decode_columns(data, terms=terms)
    return Block(
        read.ids.tolist(),
        read.sessions.tolist(),
        read.speakers.tolist(),
        read.terms.of_each(len(read.ids)),
    )


def decode_columns(data: bytes, *, terms: bool = True) -> Columns:
    """The same as arrays; as of ``decode``."""
    try:
        whole = np.frombuffer(zlib.decompress(data, wbits=-15), np.uint8)
        distinct = int(read_varints(whole[:9])[0])
        edge = len(whole) - TERM_BYTES * distinct
        numbers = read_varints(whole[:edge])
        count = int(numbers[1])
        ids, sessions, speakers = numbers[2 : 2 + 3 * count].reshape(3, count)
        if not terms:
            return Columns(ids.cumsum(), sessions, speakers, Terms(ids[:0], ids[:0]))
        counts, steps = np.split(numbers[2 + 3 * count :], [distinct])
        hashed = _numbers(whole[edge:].reshape(TERM_BYTES, distinct).T).cumsum()
        ends = counts.cumsum()
        places = steps.cumsum()
        before = np.concatenate(([0], places))[ends - counts]
        places -= np.repeat(before, counts)
        return Columns(ids.cumsum(), sessions, speakers, Terms(np.repeat(hashed, counts), places))
    except (zlib.error, IndexError) as error:
        raise ValueError(f"no block of turns: {error}") from error


def _numbers(terms: NDArray[np.uint8]) -> Integers:
    """Terms, ``(terms, 3)`` bytes each, as numbers."""
    parts = terms.astype(np.int64)
    numbers: Integers = parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2]
    return numbers


def _bytes(numbers: Integers) -> NDArray[np.uint8]:
    """Undo ``_numbers``."""
    return numbers.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 4 - TERM_BYTES :]
