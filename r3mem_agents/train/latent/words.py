"""Words of a text in tokens, and which of them are rare."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from r3mem_agents.train.corpus import Counts

SPACES = ("Ġ", "▁")
"""What tokenizers write for a space before a word."""

LONGEST = 4
"""Tokens of a word that are asked for."""

CHOICE = 2
"""Words are drawn from so many times as many, the rarest of a segment."""


class Words:
    """Finds rare words.

    Args:
        tokenizer: Whose tokens.
        counts: Number of occurrences of each token.
    """

    def __init__(self, tokenizer: Any, counts: Counts) -> None:
        names = [str(name) for name in tokenizer.convert_ids_to_tokens(range(len(counts)))]
        bare = [name.lstrip("".join(SPACES)) for name in names]
        self._begins = np.array([name.startswith(SPACES) for name in names])
        self._goes_on = np.array([one.isalnum() for one in bare]) & ~self._begins
        self._begins &= np.array([one.isalnum() or not one for one in bare])
        self._nats = np.log(counts.sum() + len(counts)) - np.log(counts + 1.0)

    def rare(
        self,
        segment: NDArray[np.int64],
        count: int,
        lead: int,
        random: np.random.Generator,
    ) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
        """Rare words of a segment, each after the tokens that stand before it.

        Args:
            segment: Tokens, ``(length,)``.
            count: Words to return; where there are fewer, some of them twice.
            lead: Tokens before a word.
            random: Draws among the rarest.

        Returns:
            ``lead + LONGEST`` tokens of the segment, and which of them are the word's.
        """
        starts = np.flatnonzero(self._begins[segment])
        starts = starts[(starts >= lead) & (starts <= len(segment) - LONGEST)]
        if not len(starts):
            starts = np.arange(lead, len(segment) - LONGEST + 1)
        goes_on = self._goes_on[segment]
        lengths = np.ones(len(starts), np.int64)
        nats = self._nats[segment[starts]]
        for more in range(1, LONGEST):
            inside = goes_on[starts + more] & (lengths == more)
            lengths += inside
            nats = nats + np.where(inside, self._nats[segment[starts + more]], 0.0)
        rarest = np.argsort(-nats, kind="stable")[: CHOICE * count]
        chosen = random.choice(rarest, count, replace=len(rarest) < count)
        place = np.arange(lead + LONGEST)
        return [
            (
                segment[starts[one] - lead : starts[one] + LONGEST],
                (place >= lead) & (place < lead + lengths[one]),
            )
            for one in chosen
        ]
