"""The newest of what a speaker says: a newer turn that says the same kind of thing ranks first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.memory.lookup.index import Snapshot, likeness_to

Floats = NDArray[np.float64]

LOOKED_AT = 5
"""So many of the best turns may have been superseded. Chosen."""

ALIKE = 0.3
"""Likeness of the gists of two turns that say the same kind of thing: 95 % of a speaker's pairs of
short turns in talk between people are less alike (docs/LOG.md, "tuning on questions")."""

MOST_TERMS = 20
"""Terms of a turn that states one thing, and so can be superseded, or supersede, as a whole."""

MARGIN = 2.5
"""Log-odds that a question may have less for the newer turn than for the older. A question for one
of two cats names it, which is worth more."""


def superseding(turns: Snapshot, odds: Floats, candidates: NDArray[np.intp]) -> dict[int, int]:
    """The newer turn for each of the best ones that has been superseded, as positions.

    Two turns say the same kind of thing if they are by one speaker, short, and each is the most
    alike to the other of all that this speaker ever said.

    Args:
        turns: What is known.
        odds: Evidence for every turn, ``(turns,)``.
        candidates: Turns that may be returned, best first.
    """
    found: dict[int, int] = {}
    allowed = set(candidates.tolist())
    for older in candidates[:LOOKED_AT].tolist():
        newer = _most_alike(turns, older)
        if (
            newer in allowed
            and (turns.time_us[newer], newer) > (turns.time_us[older], older)
            and odds[older] - odds[newer] <= MARGIN
            and _most_alike(turns, newer) == older
        ):
            found[older] = newer
    return found


def newest_first(score: Floats, superseded: dict[int, int]) -> Floats:
    """The same scores, but a newer turn has that of the one which it supersedes, and a trifle more.

    Args:
        score: Of every turn, ``(turns,)``.
        superseded: From ``superseding``.
    """
    lifted = score.copy()
    for older, newer in superseded.items():
        if lifted[newer] < lifted[older]:
            lifted[newer] = np.nextafter(lifted[older], np.inf)
    return lifted


def _most_alike(turns: Snapshot, turn: int) -> int:
    # The short turn of the same speaker that is most like one, if it is alike enough; else -1.
    rows = np.flatnonzero(turns.gist_turn == turn)
    if len(rows) != 1 or turns.lengths[turn] > MOST_TERMS:
        return -1
    alike = likeness_to([word[rows[0]] for word in turns.gists], turns.gists, turns.gist_bits)
    owners = turns.gist_turn
    alike[(turns.speaker[owners] != turns.speaker[turn]) | (owners == turn)] = -1.0
    most = np.flatnonzero(alike == alike.max())
    best = most[np.lexsort((owners[most], turns.time_us[owners[most]]))[-1]]  # the newest of equals
    if alike[best] < ALIKE or turns.lengths[owners[best]] > MOST_TERMS:
        return -1
    return int(owners[best])
