"""What turns say of a question's words. Turns keep hashes; a question still has its words."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from r3mem_agents.lookup.index import Snapshot
from r3mem_agents.lookup.matching import said_of
from r3mem_agents.lookup.question import Question
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.query_parser import words_asked


class Heard:
    """The question's words, and which turns say them.

    Args:
        turns: What is known.
        question: The question as it was read.
        query: Its text.
        obfuscator: Hashes terms as the turns' are.

    Attributes:
        words: The words by which turns are searched, without those that name a time, each in the
            form that is searched for first.
        postings: Where their terms are said.
    """

    def __init__(
        self, turns: Snapshot, question: Question, query: str, obfuscator: Obfuscator
    ) -> None:
        searched = question.terms - question.timely
        self.postings = said_of(turns, question)
        self._terms: dict[str, frozenset[int]] = {}
        for word in words_asked(query, turns, obfuscator):
            if asked := searched & word.terms:
                self._terms[word.written] = asked

    @property
    def words(self) -> tuple[str, ...]:
        """See the class."""
        return tuple(self._terms)

    def said(self, places: ArrayLike) -> tuple[str, ...]:
        """The words that any of some turns says, in one of their spellings or part of one."""
        here = np.isin(self.postings.owner, places)
        said = set(self.postings.terms[self.postings.term[here]].tolist())
        return tuple(word for word, terms in self._terms.items() if not terms.isdisjoint(said))

    def told(self, place: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The words that a turn says, and those that it does not say."""
        said = self.said([place])
        return said, tuple(word for word in self._terms if word not in said)
