"""The newest of what a speaker says: a turn that supersedes another ranks before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.similarity import similarity_to
from r3mem_agents.lookup.snapshot import DOCUMENT, Snapshot

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

Pairs = Sequence[tuple[int, int]]
"""Positions of two turns each, the older one first."""

Compare = Callable[[Pairs, Places], Floats]
"""Returns the log-odds that the newer turn of each pair supersedes the older; -inf where the text
of either is missing. It is also given the positions of the best turns, whose texts are needed
next."""

LOOKED_AT, AMONG = 5, 20
"""How many of the best turns may have been superseded (or, for a question about the past, may have
superseded what it asks for), and among how many of the best the other turn is sought. Chosen."""

ALIKE = 0.25
"""Minimum similarity of two turns that are compared: nine in ten updates reach it (docs/LOG.md,
"the newest of it, by a network")."""

MAX_PAIRS = 3
"""Pairs compared for a question. Six find a little more, at twice the cost (ibid.)."""

MAX_TERMS = 20
"""Maximum number of terms of a turn that states one thing, and so can supersede or be superseded as
a whole."""

MIN_ODDS = -2.0
"""Log-odds below which similarity does not help: "the password at work" is most like that at
home."""

SIMILARITY_ODDS, BAR = 16.0, 4.0
"""What a similarity of 1 adds to the log-odds, and the least sum at which one turn supersedes
another. Chosen on updates that the network was not trained on (ibid.)."""


def superseding(
    turns: Snapshot,
    similarity: Floats,
    best: Places,
    compare: Compare,
    wanted: Places,
    *,
    past: bool = False,
) -> dict[int, int]:
    """Return the newest turn that supersedes each of the best, as positions; oldest first.

    Only short turns by one speaker that ask nothing are compared, no passages of documents, and of
    these the pairs most similar to each other and to the question.

    Args:
        turns: The turns.
        similarity: Of each turn to the question, ``(turns,)``.
        best: Positions of the best turns, best first.
        compare: Compares turns.
        wanted: Positions of the turns whose texts are needed next.
        past: Whether the question asks about the past: then the turns that the best ones superseded
            are sought.
    """
    pairs = _pairs(turns, best, past=past)
    order = sorted(pairs, key=lambda pair: -pairs[pair] - similarity[pair[0 if past else 1]])
    chosen = order[:MAX_PAIRS]
    if not chosen:
        return {}
    odds = compare(chosen, wanted)
    sums = odds + SIMILARITY_ODDS * np.array([pairs[pair] for pair in chosen])
    found: dict[int, int] = {}
    for (older, newer), sure in zip(chosen, (odds >= MIN_ODDS) & (sums >= BAR), strict=True):
        if sure and (older not in found or _when(turns, newer) > _when(turns, found[older])):
            found[older] = newer
    return {older: found[older] for older in sorted(found, key=partial(_when, turns))}


def reordered(score: Floats, superseded: Mapping[int, int], *, past: bool) -> Floats:
    """Return the scores, raised so that of two such turns the one asked for ranks first.

    Args:
        score: Of every turn, ``(turns,)``.
        superseded: From ``superseding``; in a chain the oldest comes first.
        past: Whether the question asks for the older one rather than the newer.
    """
    lifted = score.copy()
    pairs = list(superseded.items())
    for older, newer in reversed(pairs) if past else pairs:
        first, second = (older, newer) if past else (newer, older)
        # Of two turns with one score the newer comes first anyway.
        if lifted[first] < lifted[second] or (past and lifted[first] == lifted[second]):
            lifted[first] = np.nextafter(lifted[second], np.inf)
    return lifted


def _pairs(turns: Snapshot, best: Places, *, past: bool) -> dict[tuple[int, int], float]:
    # Pairs of older and newer turns that may be compared, with their similarity.
    row_of = {}
    for place in best[:AMONG].tolist():
        if turns.speakers[turns.speaker[place]].role == DOCUMENT:
            continue
        rows = np.flatnonzero(turns.gist_turn == place)
        if len(rows) == 1 and turns.lengths[place] <= MAX_TERMS and not turns.asks[place]:
            row_of[place] = int(rows[0])
    rows = np.fromiter(row_of.values(), np.intp)
    gists = tuple(word[rows] for word in turns.gists)
    found = {}
    for place in best[:LOOKED_AT].tolist():
        if place not in row_of:
            continue
        own = [word[row_of[place]] for word in turns.gists]
        alike = similarity_to(own, gists, turns.gist_bits)
        for other, how in zip(row_of, alike.tolist(), strict=True):
            older, newer = (other, place) if past else (place, other)
            if (
                how >= ALIKE
                and turns.speaker[older] == turns.speaker[newer]
                and _when(turns, older) < _when(turns, newer)
            ):
                found[older, newer] = how
    return found


def _when(turns: Snapshot, place: int) -> tuple[int, int]:
    return int(turns.time_us[place]), place
