"""What a question asks for: words, times, speakers; or nothing but whatever was said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from r3mem_agents.lookup.snapshot import Speaker
from r3mem_agents.timestamps import Span


class Forms(NamedTuple):
    """What else a term of a question may be stored as.

    Attributes:
        terms: Hashed terms, any of which is as good.
        prefixes: Hashes with which those of words begin that may be forms of it.
    """

    terms: frozenset[int]
    prefixes: frozenset[int]


class Word(NamedTuple):
    """A word of a question, as its terms are stored.

    Attributes:
        spellings: The hashed terms of each spelling, the most exact one first.
        forms: By hashed term, if it has other forms.
        halves: Those of the terms two of which make about one word.
    """

    spellings: tuple[frozenset[int], ...]
    forms: Mapping[int, Forms]
    halves: frozenset[int]

    @property
    def terms(self) -> frozenset[int]:
        """The terms of all spellings and forms."""
        return frozenset[int]().union(*self.spellings, *(one.terms for one in self.forms.values()))


class Question(NamedTuple):
    """A question as it is weighed.

    Attributes:
        terms: Distinct hashed terms to search for.
        timely: Those of them that name a time: turns are of that time, rather than say it.
        spans: The times that it names.
        named: Speakers that it names, places in a snapshot's ``speakers``.
        open: Whether it says nothing else that turns could be found by: it asks for whatever was
            said, by those speakers, at those times.
        vague: Whether it has no words but those that ask for whatever was said, or none.
        personal: Whether it is put in the first person.
        past: Whether it asks for what was, and not for what is.
        forms: What else terms may be stored as.
        halves: Terms two of which make about one word.
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
        """How many words it has, about."""
        return len(self.terms) - len(self.halves & self.terms) / 2


def searched_terms(words: Collection[Word], said: Collection[int]) -> frozenset[int]:
    """Return the terms by which turns are searched for words.

    A word that is said in one of its spellings is not missed in the others.

    Args:
        words: The words of a question.
        said: Those of their terms that the memory has, and of their forms.
    """
    kept: set[int] = set()
    for word in words:
        every = frozenset[int]().union(*word.spellings)
        heard = {term for term, one in word.forms.items() if not one.terms.isdisjoint(said)}
        known = every.intersection(heard.union(said))
        kept |= known if any(spelling <= known for spelling in word.spellings) else every
    return frozenset(kept)


def speakers_named(speakers: Sequence[Speaker], asked: Collection[int]) -> frozenset[int]:
    """Return which speakers have a word of their names among hashed terms.

    Of "Dr. Jones" and "Dr. Smith", the words "Dr. Smith" name the one of whom they say more.
    """
    told = {number: one.matched(asked) for number, one in enumerate(speakers)}
    all_told = set(told.values())
    return frozenset(
        number
        for number, mine in told.items()
        if mine and not any(mine < others for others in all_told)
    )
