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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.store.varints import Integers, Varints, first_varint, varints

TERM_BYTES = 3
"""Bytes of a term, which is a keyed hash."""


_PLACE_BITS = 32


class Terms(NamedTuple):
    """Terms of some turns, inverted: of each term which turns say it.

    Attributes:
        distinct: Each term once, as a number, ascending; ``(terms,)``.
        counts: How often turns say it.
        places: Place of the turn that says it, each time: of each term in turn, ascending.
    """

    distinct: Integers
    counts: Integers
    places: NDArray[np.integer]

    @classmethod
    def of(cls, terms: Sequence[bytes]) -> Terms:
        """Terms of each turn, as of ``NewTurn``, in this order."""
        sizes = [len(each) // TERM_BYTES for each in terms]
        hashed = _numbers(np.frombuffer(b"".join(terms), np.uint8).reshape(-1, TERM_BYTES))
        return cls.of_pairs(hashed, np.repeat(np.arange(len(terms)), sizes))

    @classmethod
    def of_pairs(cls, hashed: Integers, places: NDArray[np.integer]) -> Terms:
        """Terms in any order, as numbers, and the place of the turn that says each."""
        pairs = hashed << _PLACE_BITS | places
        pairs.sort(kind="stable")  # which merges what lies there in order
        return cls.grouped(pairs >> _PLACE_BITS, pairs & (1 << _PLACE_BITS) - 1)

    @classmethod
    def grouped(cls, hashed: Integers, places: NDArray[np.integer]) -> Terms:
        """The same, by term and place already."""
        new = np.ones(len(hashed), bool)
        new[1:] = hashed[1:] != hashed[:-1]
        [starts] = np.nonzero(new)
        return cls(hashed[starts], _steps(np.append(starts, len(hashed)))[1:], places)

    @property
    def hashed(self) -> Integers:
        """The term of each of ``places``."""
        return np.repeat(self.distinct, self.counts)

    def of_each(self, turns: int) -> list[bytes]:
        """Undo ``of``, given how many turns there are."""
        order = self.places.argsort(kind="stable")
        each = _bytes(self.hashed[order]).tobytes()
        sizes = np.bincount(self.places, minlength=turns) * TERM_BYTES
        cuts = [0, *sizes.cumsum().tolist()]
        return [each[start:end] for start, end in zip(cuts[:-1], cuts[1:], strict=True)]

    @classmethod
    def join(cls, several: Sequence[Terms], firsts: Sequence[int]) -> Terms:
        """Terms of turns of which the first ones have other places from now on."""
        return cls.of_pairs(
            np.concatenate([terms.hashed for terms in several]),
            np.concatenate(
                [terms.places + first for terms, first in zip(several, firsts, strict=True)]
            ),
        )

    def part(self, kept: NDArray[np.bool_]) -> Terms:
        """Those of some turns, which alone are numbered."""
        there = kept[self.places]
        return self.grouped(self.hashed[there], (kept.cumsum() - 1)[self.places[there]])

    def pop(self, term: int) -> tuple[NDArray[np.integer], Terms]:
        """Which turns say a term, and the other terms."""
        place = int(self.distinct.searchsorted(term))
        if self.distinct[place : place + 1].tolist() != [term]:
            return self.places[:0], self
        start = int(self.counts[:place].sum())
        here = slice(start, start + int(self.counts[place]))
        return self.places[here], Terms(
            np.delete(self.distinct, place),
            np.delete(self.counts, place),
            np.delete(self.places, here),
        )


@dataclass(frozen=True, slots=True)
class Columns:
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
    def of(
        cls,
        ids: Sequence[int],
        sessions: Sequence[int],
        speakers: Sequence[int],
        terms: Sequence[bytes],
    ) -> Columns:
        """Turns by their ids, the rows of their names, and their terms as of ``NewTurn``."""
        rows = np.array((ids, sessions, speakers), np.int64)
        return cls(rows[0], rows[1], rows[2], Terms.of(terms))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def size(self) -> int:
        """How many ids and terms they have."""
        return len(self.ids) + len(self.terms.places)

    @classmethod
    def join(cls, blocks: Sequence[Columns]) -> Columns:
        """The turns of several blocks."""
        if len(blocks) == 1:
            return blocks[0]
        firsts = np.cumsum([0, *map(len, blocks)])[:-1].tolist()
        return cls(
            np.concatenate([block.ids for block in blocks]),
            np.concatenate([block.sessions for block in blocks]),
            np.concatenate([block.speakers for block in blocks]),
            Terms.join([block.terms for block in blocks], firsts),
        )

    def part(self, kept: NDArray[np.bool_]) -> Columns:
        """Some of the turns."""
        if kept.all():
            return self
        return Columns(
            self.ids[kept], self.sessions[kept], self.speakers[kept], self.terms.part(kept)
        )

    def cut(self, size: int) -> Iterator[Columns]:
        """The same turns in parts of about this size."""
        sizes = np.bincount(self.terms.places, minlength=len(self)) + 1
        part = (sizes.cumsum() - sizes) // size
        said = part[self.terms.places]
        order = said.argsort(kind="stable")
        hashed, places = self.terms.hashed[order], self.terms.places[order]
        [starts] = np.nonzero(np.append(True, part[1:] != part[:-1])[: len(part)])
        turns = np.append(starts, len(part)).tolist()
        terms = np.append(said[order].searchsorted(part[starts]), len(said)).tolist()
        for number in range(len(starts)):
            first, end = turns[number : number + 2]
            mine = slice(*terms[number : number + 2])
            yield Columns(
                self.ids[first:end],
                self.sessions[first:end],
                self.speakers[first:end],
                Terms.grouped(hashed[mine], places[mine] - first),
            )

    def replaced(self, others: Columns) -> Columns:
        """The same turns, those with the ids of others with their speakers and terms."""
        places = self.ids.searchsorted(others.ids)
        there = np.isin(others.ids, self.ids)
        others, places = others.part(there), places[there]
        speakers = self.speakers.copy()
        speakers[places] = others.speakers
        rest = ~np.isin(self.terms.places, places)
        hashed = self.terms.hashed[rest], others.terms.hashed
        saying = self.terms.places[rest], places[others.terms.places]
        terms = Terms.of_pairs(np.concatenate(hashed), np.concatenate(saying))
        return Columns(self.ids, self.sessions, speakers, terms)

    def said(self) -> dict[int, bytes]:
        """Terms of each turn, as of ``NewTurn``, by its id."""
        return dict(zip(self.ids.tolist(), self.terms.of_each(len(self)), strict=True))


def encode(block: Columns) -> bytes:
    """The bytes of a block."""
    terms = block.terms
    steps = _steps(terms.places)
    starts = terms.counts.cumsum() - terms.counts
    steps[starts] = terms.places[starts]
    head = np.array([len(terms.distinct), len(block)])
    ids = _steps(block.ids)
    columns = (head, ids, block.sessions, block.speakers, terms.counts, steps)
    planes = _bytes(_steps(terms.distinct)).T
    return zlib.compress(varints(np.concatenate(columns)) + planes.tobytes(), 9, wbits=-15)


def decode(data: bytes, *, terms: bool = True) -> Columns:
    """Undo ``encode``.

    Args:
        data: The bytes of a block.
        terms: Read terms too; turns come without any otherwise.

    Raises:
        ValueError: These are not the bytes of a block.
    """
    try:
        inflated = zlib.decompress(data, wbits=-15)
        whole = np.frombuffer(inflated, np.uint8)
        distinct = first_varint(inflated)
        edge = len(whole) - TERM_BYTES * distinct
        numbers = Varints(whole[:edge])
        count = int(numbers.part(1, 2)[0])
        start = 2 + 3 * count
        ids, sessions, speakers = numbers.part(2, start).reshape(3, count)
        said = Terms.of(())
        if terms:
            hashed = _numbers(whole[edge:].reshape(TERM_BYTES, distinct).T).cumsum()
            counts = numbers.part(start, start + distinct)
            steps = numbers.part(start + distinct, len(numbers), np.int32)
            said = Terms(hashed, counts, _undiffed(steps, counts))
        return Columns(ids.cumsum(), sessions, speakers, said)
    except (zlib.error, IndexError) as error:
        raise ValueError(f"no block of turns: {error}") from error


def _steps(values: NDArray[Any]) -> NDArray[Any]:
    # Each value, less the one before it.
    steps = values.copy()
    steps[1:] -= values[:-1]
    return steps


def _undiffed(steps: NDArray[np.int32], counts: Integers) -> NDArray[np.int32]:
    # Places, of which each is written as its distance from the one before it of the same term.
    ends = steps.cumsum(dtype=np.int32)
    starts = counts.cumsum() - counts
    ends -= np.repeat(ends[starts] - steps[starts], counts)
    return ends


def _numbers(terms: NDArray[np.uint8]) -> Integers:
    """Terms, ``(terms, 3)`` bytes each, as numbers."""
    parts = terms.astype(np.int64)
    numbers: Integers = parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2]
    return numbers


def _bytes(numbers: Integers) -> NDArray[np.uint8]:
    """Undo ``_numbers``."""
    return numbers.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 4 - TERM_BYTES :]
