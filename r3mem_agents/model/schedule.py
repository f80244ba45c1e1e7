"""In which order an expansion fills positions in.

What is known before the first round is where a text starts and where it ends. From these two
*edges* an expansion grows inwards, one token per round on either side; a longer segment gets
*centres* in between, tokens without a known neighbour, from which it grows both ways. So a segment
of 64 tokens takes 7 rounds and 4 centres, one of up to 16 tokens has no centre at all, and every
other token is predicted beside the one that was filled in the round before (docs/LOG.md,
2026-11-25: compared with lanes filled from left to right).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

BACKWARD, CENTRE, FORWARD = range(3)
"""Role of a position: it holds the token to its right, none, or the token to its left."""

ROLES = 3

SLOTS = 2
"""Slots of a segment, before its text: its length, then its gist."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The order for segments of every length ``0 .. segment_tokens``, one row each.

    Attributes:
        round: ``(lengths, positions)`` int64, the round that fills a position in; ``rounds``
            past the end.
        role: ``(lengths, positions)`` int64, ``BACKWARD``, ``CENTRE`` or ``FORWARD``.
    """

    round: Integers
    role: Integers

    @classmethod
    def of(cls, segment_tokens: int, rounds: int) -> Schedule:
        """The schedule of a model with these sizes (``ModelConfig``)."""
        return _schedule(segment_tokens, rounds)

    def rounds(self, counts: Integers) -> Iterator[tuple[Integers, Integers]]:
        """The tokens that each round of an expansion fills in: their segments and positions.

        Args:
            counts: ``(batch,)``, tokens of each segment.

        Yields:
            Of each round two arrays of the same length, in the order of segments, then positions.
        """
        filled = self.round[counts]
        inside = np.arange(filled.shape[1]) < counts[:, None]
        for round_ in range(int(filled[inside].max(initial=-1)) + 1):
            rows, places = (inside & (filled == round_)).nonzero()
            yield rows, places


@cache
def _schedule(segment_tokens: int, rounds: int) -> Schedule:
    filled = np.full((segment_tokens + 1, segment_tokens), rounds, np.int64)
    roles = np.full_like(filled, FORWARD)
    for length in range(1, segment_tokens + 1):
        for position, (round_, role) in enumerate(_fill(length, rounds)):
            filled[length, position] = round_
            roles[length, position] = role
    filled.flags.writeable = roles.flags.writeable = False
    return Schedule(filled, roles)


def _fill(length: int, rounds: int) -> list[tuple[int, int]]:
    """Round and role of each position of a segment.

    Gaps between centres take ``2 * rounds - 2`` tokens at most, those at the edges one more.
    """
    centres = max(0, -(-(length - 2 * rounds) // (2 * rounds - 1)))
    inner = length - centres - 2 if centres else length - 1
    filled: list[tuple[int, int]] = []
    for gap in range(centres + 1):
        first, last = gap == 0, gap == centres
        share = inner * (gap + 1) // (centres + 1) - inner * gap // (centres + 1)
        width = share + (1 if first or last else 0)
        for place in range(width):
            left = place + (0 if first else 1)
            right = width - 1 - place + (0 if last else 1)
            filled.append((left, FORWARD) if left <= right else (right, BACKWARD))
        if not last:
            filled.append((0, CENTRE))
    return filled
