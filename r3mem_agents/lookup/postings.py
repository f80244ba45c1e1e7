"""Postings of terms in runs of turns, and those of a question's terms."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

Integers = NDArray[np.int64]

FAN = 8
"""Number of runs of similar size that are merged into one, so that a posting is sorted again only
when its run has grown by this factor."""

LARGE = 1 << 11
"""A run of so many turns is not merged any more: a question searches a hundred runs in less time
than it takes to score their turns. Chosen."""


class Run(NamedTuple):
    """Postings of turns that lie together, in few bytes.

    Attributes:
        first: Position of the first turn.
        turns: Number of turns.
        terms: Hashed terms that they say, ascending; ``(terms,)``.
        starts: Where the postings of each term start, and where the last ones end.
        places: Which turn says the term, counted from ``first``, ascending; ``(postings,)``.
        counts: How often it does.
    """

    first: int
    turns: int
    terms: NDArray[np.uint32]
    starts: NDArray[np.intp]
    places: NDArray[np.unsignedinteger]
    counts: NDArray[np.unsignedinteger]

    @classmethod
    def of(
        cls,
        first: int,
        turns: int,
        terms: NDArray[np.integer],
        times: NDArray[np.integer],
        places: NDArray[np.integer],
    ) -> Run:
        """Make a run of inverted turns.

        Args:
            first: Position of the first turn.
            turns: Number of turns.
            terms: Hashed terms, ascending.
            times: How often turns say each of them.
            places: Which turn does, each time, counted from ``first``: of each term in turn,
                ascending.
        """
        starts = np.append(0, np.cumsum(times))
        new = np.ones(len(places), bool)  # where the next one is not the same turn again
        new[:-1] = places[:-1] != places[1:]
        new[starts[1:] - 1] = True
        last = np.flatnonzero(new)
        before = np.append(-1, last)
        return cls(
            first,
            turns,
            terms.astype(np.uint32),
            np.append(0, np.cumsum(new)[starts[1:] - 1]),
            places.take(last).astype(_unsigned(turns)),
            _small(last - before[:-1]),
        )


def _unsigned(above: int) -> DTypeLike:
    # The type in which numbers below this one take the least room.
    return np.min_scalar_type(max(above - 1, 0))


def _small(values: NDArray[np.integer]) -> NDArray[np.unsignedinteger]:
    return values.astype(_unsigned(int(values.max(initial=0)) + 1))


def unpack(
    runs: Sequence[Run], chosen: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint32], Integers, Integers]:
    """Return the terms, positions and counts of postings, one for each term of a turn.

    Args:
        runs: The postings.
        chosen: Only those of these turns, ``(turns,)``.
    """
    terms, owners, counts = [np.empty(0, np.uint32)], [np.empty(0, np.int64)], [np.empty(0, int)]
    for run in runs:
        here = slice(None) if chosen is None else chosen[run.first :][run.places]
        terms.append(np.repeat(run.terms, np.diff(run.starts))[here])
        owners.append(run.first + run.places[here].astype(np.int64))
        counts.append(run.counts[here])
    return np.concatenate(terms), np.concatenate(owners), np.concatenate(counts)


def merged(runs: Sequence[Run]) -> Run:
    """Return one run of several, each of later turns than those before it."""
    first = runs[0].first
    terms, owners, counts = unpack(runs)
    order = np.argsort(terms, kind="stable")  # which merges what lies there in order
    terms = terms[order]
    starts = np.flatnonzero(np.append(True, terms[1:] != terms[:-1])[: len(terms)])
    turns = runs[-1].first + runs[-1].turns - first
    return Run(
        first,
        turns,
        terms[starts],
        np.append(starts, len(terms)),
        (owners[order] - first).astype(_unsigned(turns)),
        _small(counts[order]),
    )


def with_run(runs: Sequence[Run], new: Run) -> tuple[Run, ...]:
    """Return the runs with one of later turns, those of similar size merged; none is changed."""
    grown = [*runs, new]
    while len(grown) >= FAN and grown[-FAN].turns < min(LARGE, FAN * grown[-1].turns + 1):
        grown[-FAN:] = [merged(grown[-FAN:])]
    return tuple(grown)


class Postings(NamedTuple):
    """The postings of a question's terms.

    Attributes:
        asked: The question's hashed terms.
        terms: Those of them that any turn says, ascending.
        owner: Position of the turn of each posting; one posting per turn and term.
        term: Term of each posting, a position in ``terms``.
        counts: How often the turn says it.
        share: How much of the term counts: 1, or less for another form of it.
        heard: Number of turns that say each of ``terms``.
    """

    asked: frozenset[int]
    terms: NDArray[np.uint32]
    owner: NDArray[np.int64]
    term: NDArray[np.int64]
    counts: NDArray[np.int64]
    share: NDArray[np.float64]
    heard: NDArray[np.int64]


def said_in(
    runs: Sequence[Run], terms: Collection[int], silent: NDArray[np.bool_] | None = None
) -> set[int]:
    """Return those of some distinct hashed terms that any turn says, silent turns excepted."""
    if silent is not None:
        return set(postings_of(runs, terms, silent).terms.tolist())
    asked = np.sort(np.fromiter(terms, np.uint32, len(terms)))
    said = np.zeros(len(asked), bool)
    for run in runs:
        said |= run.terms.searchsorted(asked) < run.terms.searchsorted(asked, "right")
    return set(asked[said].tolist())


def postings_of(
    runs: Sequence[Run], query_terms: Collection[int], silent: NDArray[np.bool_] | None = None
) -> Postings:
    """Find the postings of a question's distinct hashed terms.

    Args:
        runs: All postings.
        query_terms: The terms.
        silent: Which turns are skipped, ``(turns,)``.
    """
    asked = np.sort(np.fromiter(query_terms, np.uint32, len(query_terms)))
    term, owner, counts = _between(runs, asked, asked)
    if silent is not None:
        heard = ~silent[owner]
        term, owner, counts = term[heard], owner[heard], counts[heard]
    turns = np.bincount(term, minlength=len(asked))
    said = turns > 0
    return Postings(
        asked=frozenset(query_terms),
        terms=asked[said],
        owner=owner,
        term=(np.cumsum(said) - 1)[term],
        counts=counts,
        share=np.ones(len(term)),
        heard=turns[said],
    )


def owners_by_prefix(runs: Sequence[Run], prefixes: Collection[int], open_bits: int) -> Integers:
    """Return the turns with a term that begins with one of some prefixes, ascending.

    Args:
        runs: All postings.
        prefixes: The first bits of hashed terms.
        open_bits: Number of bits that follow them.
    """
    first = np.sort(np.fromiter(prefixes, np.uint32, len(prefixes))) << np.uint32(open_bits)
    _, owners, _ = _between(runs, first, first | np.uint32((1 << open_bits) - 1))
    return distinct(owners)


def _between(
    runs: Sequence[Run], first: NDArray[np.uint32], last: NDArray[np.uint32]
) -> tuple[Integers, Integers, Integers]:
    # Postings of terms from each of ``first`` to that of ``last``: which of these they are, and
    # their positions and counts.
    which, owners, counts = ([np.empty(0, np.int64)] for _ in range(3))
    for run in runs:
        begin = run.starts[run.terms.searchsorted(first)]
        sizes = run.starts[run.terms.searchsorted(last, "right")] - begin
        ends = sizes.cumsum()
        if len(ends) and ends[-1]:
            some = np.arange(ends[-1]) + np.repeat(begin - ends + sizes, sizes)
            which.append(np.repeat(np.arange(len(sizes)), sizes))
            owners.append(run.first + run.places[some].astype(np.int64))
            counts.append(run.counts[some])
    return np.concatenate(which), np.concatenate(owners), np.concatenate(counts)


def distinct(values: Integers) -> Integers:
    """Return each value once, ascending.

    NumPy's ``unique`` loads its masked arrays to do that, 8 ms of the first lookup of a process.
    """
    ordered = np.sort(values)
    new = np.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]


def idf(documents: int, having: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return Lucene's idf of terms, by the number of documents that have them.

    ``ln(1 + (N - n + 0.5) / (n + 0.5))``.
    """
    found: NDArray[np.float64] = np.log1p((documents - having + 0.5) / (having + 0.5))
    return found
