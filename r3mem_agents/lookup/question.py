"""What a question asks for: words, times and speakers, or anything that was said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from r3mem_agents.lookup.snapshot import Speaker
from r3mem_agents.timestamps import Span


class Forms(NamedTuple):
    """Other forms under which a term of a question may be stored.

    Attributes:
        terms: Equivalent hashed terms.
        prefixes: Hashes of prefixes; words that begin with one may be forms of it.
    """

    terms: frozenset[int]
    prefixes: frozenset[int]


class Word(NamedTuple):
    """A word of a question, as its terms are stored.

    Attributes:
        spellings: The hashed terms of each spelling, the most exact one first.
        forms: By hashed term, if it has other forms.
        halves: Those of the terms of which two make up about one word.
    """

    spellings: tuple[frozenset[int], ...]
    forms: Mapping[int, Forms]
    halves: frozenset[int]

    @property
    def terms(self) -> frozenset[int]:
        """The terms of all spellings and forms."""
        return frozenset[int]().union(*self.spellings, *(one.terms for one in self.forms.values()))


class Question(NamedTuple):
    """A question as a lookup takes it.

    Attributes:
        terms: Distinct hashed terms to search for.
        timely: Those of them that name a time: turns are from that time rather than mention it.
        spans: The times that it names.
        named: Speakers that it names, as positions in a snapshot's ``speakers``.
        open: Whether it has nothing else that turns could be found by: it asks for anything that
            was said by those speakers or at those times.
        vague: Whether it has no words except those that ask for anything that was said.
        personal: Whether it is in the first person.
        past: Whether it asks about the past rather than the present.
        forms: Other forms under which terms may be stored.
        halves: Terms of which two make up about one word.
    """

    terms: frozenset[int]
    timely: frozenset[int] = frozenset()
    spans: tuple[Span, ...] = ()
    named: frozenset[int] = frozenset()
    open: bool = False
    vague: bool = False
    personal: bool = False
    past: bool = False
    forms: Mapping[int, Forms] = MappingProxyType({})
    halves: frozenset[int] = frozenset()

    @property
    def length(self) -> float:
        """The approximate number of its words."""
        return len(self.terms) - len(self.halves & self.terms) / 2


def searched_terms(words: Collection[Word], said: Collection[int]) -> frozenset[int]:
    """Return the terms under which turns are searched for words.

    If the memory says a word in one of its spellings, the terms of the others do not count as
    missing.

    Args:
        words: The words of a question.
        said: Those of their terms and forms that the memory has.
    """
    kept: set[int] = set()
    for word in words:
        every = frozenset[int]().union(*word.spellings)
        heard = {term for term, one in word.forms.items() if not one.terms.isdisjoint(said)}
        known = every.intersection(heard.union(said))
        kept |= known if any(spelling <= known for spelling in word.spellings) else every
    return frozenset(kept)


def speakers_named(speakers: Sequence[Speaker], asked: Collection[int]) -> frozenset[int]:
    """Return the speakers whose names share a word with some hashed terms.

    Of "Dr. Jones" and "Dr. Smith", the words "Dr. Smith" name the one that they match better.
    """
    told = {number: one.matched(asked) for number, one in enumerate(speakers)}
    all_told = set(told.values())
    return frozenset(
        number
        for number, mine in told.items()
        if mine and not any(mine < others for others in all_told)
    )
