"""Some of the turns of a snapshot, in any order, as a snapshot in which no other turn ever was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.index import Columns, Index
from r3mem_agents.lookup.postings import unpack
from r3mem_agents.lookup.snapshot import Snapshot

Places = NDArray[np.intp]


def chosen(turns: Snapshot, places: Places) -> Snapshot:
    """Return the turns at some places, in this order."""
    return _snapshot(_part(_columns(turns), places), turns)


def chosen_of_both(
    turns: Snapshot, others: Snapshot, places: Places, stand_for: Places
) -> Snapshot:
    """Return turns of two snapshots, some of the second in the place of turns of the first.

    Args:
        turns: The first snapshot.
        others: The second one.
        places: Positions of the turns, in the order that they get: those of the second snapshot
            come after those of the first.
        stand_for: Positions in the first snapshot of the turns whose ids they get.
    """
    one, two = _columns(turns), _columns(others)
    hashed = np.concatenate([np.repeat(part.terms, part.times) for part in (one, two)])
    said_by = np.concatenate([one.places, two.places + len(turns.ids)])
    terms, times, owners = _inverted(hashed, said_by)
    joined = Columns._make(np.concatenate(pair) for pair in zip(one, two, strict=True))
    both = joined._replace(terms=terms, times=times, places=owners)
    part = _part(both, places)._replace(ids=turns.ids[stand_for])
    return _snapshot(part, turns, others)


def _columns(turns: Snapshot) -> Columns:
    # What a snapshot was made of.
    terms, owners, counts = unpack(turns.postings)
    speakers = np.array([speaker.row for speaker in turns.speakers], np.int64)
    return Columns(
        turns.ids,
        np.array(turns.sessions, np.int64)[turns.session],
        speakers[turns.speaker],
        turns.time_us,
        np.stack(turns.gists, 1),
        np.bincount(turns.gist_turn, minlength=len(turns.ids)),
        *_inverted(np.repeat(terms, counts), np.repeat(owners, counts)),
        turns.asks,
    )


def _inverted(
    hashed: NDArray[np.integer], places: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.integer]]:
    # Each term once, how often it is said, and by which turns.
    order = np.lexsort((places, hashed))
    terms, times = np.unique(hashed, return_counts=True)
    return terms.astype(np.int64), times, places[order]


def _part(columns: Columns, places: Places) -> Columns:
    new = np.full(len(columns.ids), -1)
    new[places] = np.arange(len(places))
    owners = new[columns.places]
    said = owners >= 0
    ends = columns.gist_counts.cumsum()
    counts = columns.gist_counts[places]
    first = np.repeat(ends[places] - counts.cumsum(), counts)
    return Columns(
        columns.ids[places],
        columns.sessions[places],
        columns.speakers[places],
        columns.times_us[places],
        columns.gists[first + np.arange(len(first))],
        counts,
        *_inverted(np.repeat(columns.terms, columns.times)[said], owners[said]),
        columns.asks[places],
    )


def _snapshot(columns: Columns, *origins: Snapshot) -> Snapshot:
    index = Index(origins[0].gist_bits)
    for origin in origins:
        index.add_speakers(origin.speakers)
    index.add(columns)
    return index.snapshot()
