"""The few turns that say what a session was about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.lookup.postings import distinct, postings_of, unpack
from r3mem_agents.lookup.similarity import similarity_to
from r3mem_agents.lookup.snapshot import Snapshot

Floats = NDArray[np.float64]


def salient(turns: Snapshot, session: int, k: int, gist_bits: int) -> list[int]:
    """Choose turns that cover a session's terms and gists, greedily.

    Coverage of both is monotone and submodular, so the choice reaches at least 1 - 1/e of the
    optimum (Lin and Bilmes 2011, "A class of submodular functions for document summarization"). A
    term weighs more the more often it is said in the session and the fewer sessions say it; a gist
    is covered to the extent that it is similar to a chosen one. Terms and gists count equally.

    Args:
        turns: The turns.
        session: Number of the session.
        k: Maximum number of turns.
        gist_bits: Number of bits in a gist.

    Returns:
        Positions of the turns, in chronological order; fewer than ``k`` if fewer add coverage.
    """
    here = np.flatnonzero(turns.session == session)
    said, terms = _terms(turns, here)
    alike = _similarity(turns, here, gist_bits)
    all_terms, all_gists = max(terms.sum(), 1e-9), max(alike.max(0, initial=0).sum(), 1e-9)
    unsaid, reached = terms.copy(), np.zeros(alike.shape[1])
    chosen: list[int] = []
    for _ in range(min(k, len(here))):
        more_gists = np.maximum(alike - reached, 0).sum(1)
        gain = said @ unsaid / all_terms + more_gists / all_gists
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        chosen.append(best)
        unsaid[said[best]] = 0
        reached = np.maximum(reached, alike[best])
    return sorted(here[chosen].tolist())


def _terms(turns: Snapshot, here: NDArray[np.integer]) -> tuple[NDArray[np.bool_], Floats]:
    # Which turn says which term, (turns, terms), and the weight of each term.
    mine = np.zeros(len(turns.ids), bool)
    mine[here] = True
    hashed, owner, count = unpack(turns.postings, mine)
    terms, term = np.unique(hashed, return_inverse=True)
    said = np.zeros((len(here), len(terms)), bool)
    said[np.searchsorted(here, owner), term] = True
    counts = np.bincount(term, weights=count, minlength=len(terms))
    anywhere = postings_of(turns.postings, terms.tolist())
    pairs = distinct(anywhere.term * len(turns.sessions) + turns.session[anywhere.owner])
    sessions = np.bincount(pairs // len(turns.sessions), minlength=len(terms))
    rarity = np.log1p(len(turns.sessions) / np.maximum(sessions, 1))
    return said, np.log1p(counts) * rarity


def _similarity(turns: Snapshot, here: NDArray[np.integer], gist_bits: int) -> Floats:
    # Of the best gist of each turn to every gist of the session, (turns, gists), 0 to 1.
    mine = np.flatnonzero(np.isin(turns.gist_turn, here))
    gists = [word[mine] for word in turns.gists]
    owner = np.searchsorted(here, turns.gist_turn[mine])
    best = np.zeros((len(here), len(mine)))
    for row, gist in zip(owner, zip(*gists, strict=True), strict=True):
        np.maximum(best[row], similarity_to(gist, gists, gist_bits), out=best[row])
    return best
