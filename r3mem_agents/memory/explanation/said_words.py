"""Which words of a question turns say: turns have only hashes, but the question has the words."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from r3mem_agents.lookup.matching import said_of
from r3mem_agents.lookup.snapshot import Snapshot
from r3mem_agents.memory.query_parser import ParsedQuery


class SaidWords:
    """Tells which turns say which words of a question.

    Args:
        turns: The turns.
        asked: The question.

    Attributes:
        words: The words that turns are searched for, without those that name a time, each in its
            most exact form.
        postings: The postings of their terms.
    """

    def __init__(self, turns: Snapshot, asked: ParsedQuery) -> None:
        searched = asked.question.terms - asked.question.timely
        self.postings = said_of(turns, asked.question)
        self._terms = {
            one.written: terms for one in asked.words if (terms := searched & one.word.terms)
        }

    @property
    def words(self) -> tuple[str, ...]:
        """The words that turns are searched for; see the class."""
        return tuple(self._terms)

    def of(self, places: ArrayLike) -> tuple[str, ...]:
        """Return the words that any of some turns says, in one of their spellings or a part of one.

        Args:
            places: Positions of the turns.
        """
        here = np.isin(self.postings.owner, places)
        said = set(self.postings.terms[self.postings.term[here]].tolist())
        return tuple(word for word, terms in self._terms.items() if not terms.isdisjoint(said))

    def told(self, place: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the words that a turn says, and those that it does not say."""
        said = self.of([place])
        return said, tuple(word for word in self._terms if word not in said)
