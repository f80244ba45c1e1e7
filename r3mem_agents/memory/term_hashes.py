"""Terms as a store and a lookup know them: their keyed hashes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from r3mem_agents.analysis.languages import LATIN, told_languages
from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.analysis.terms import IN
from r3mem_agents.analysis.variants import in_halves, prefix, sought, stored, tells
from r3mem_agents.analysis.words import Spelling, spelled
from r3mem_agents.lookup.hashes import OPEN_BITS
from r3mem_agents.lookup.question import Forms
from r3mem_agents.memory.obfuscation import Obfuscator

HashedSpelling = frozenset[int]
"""The hashed terms of one spelling of a word."""


class AskedWord(NamedTuple):
    """A word of a question, as an index holds its terms.

    Attributes:
        written: As it is written, or its parts.
        spellings: The hashed terms of each spelling, the most exact one first.
        forms: By hashed term, if it has other forms.
        halves: Those of the terms two of which make about one word.
    """

    written: str
    spellings: tuple[HashedSpelling, ...]
    forms: Mapping[int, Forms]
    halves: frozenset[int]

    @property
    def terms(self) -> frozenset[int]:
        """The terms of all spellings and forms."""
        return frozenset[int]().union(*self.spellings, *(one.terms for one in self.forms.values()))


def hashed_words(
    obfuscator: Obfuscator, text: str, told: Collection[str] = ()
) -> list[tuple[HashedSpelling, ...]]:
    """The distinct words of a name or a question, each with its spellings, as hashed terms.

    Args:
        obfuscator: Hashes terms.
        text: The text.
        told: The languages whose function words are left out; English if there is none.
    """
    return [
        tuple(_hashed_spelling(obfuscator, spelling) for spelling in word)
        for word in dict.fromkeys(spelled(uniform(text), told))
    ]


def hashed_terms(obfuscator: Obfuscator, text: str) -> frozenset[int]:
    """The hashed terms of all spellings of the words of a name or a question."""
    every = (one for word in hashed_words(obfuscator, text) for one in word)
    return frozenset[int]().union(*every)


@lru_cache(maxsize=16)
def listed(obfuscator: Obfuscator, words: frozenset[str]) -> frozenset[int]:
    """The hashed terms of a list of words."""
    return hashed_terms(obfuscator, " ".join(words))


@lru_cache(maxsize=16)
def spoken(obfuscator: Obfuscator) -> Mapping[int, str]:
    """Hashes of the terms that say in which language a turn is, and these languages."""
    return {hashed(obfuscator, IN + language): language for language in LATIN}


def asked_words(obfuscator: Obfuscator, query: str, languages: Collection[str]) -> list[AskedWord]:
    """The distinct words of a question, each with its spellings and forms.

    Args:
        obfuscator: Hashes terms.
        query: The question.
        languages: Those other than English, in its letters, that turns are in.
    """
    text = uniform(query)
    found = dict.fromkeys(spelled(text, told_languages(text)))
    return [_asked(obfuscator, word, languages) for word in found]


def settled(asked: Collection[AskedWord], said: Collection[int]) -> frozenset[int]:
    """The terms by which a memory is searched for words.

    A word that is said in one of its spellings is not missed in the others.

    Args:
        asked: The words of a question, with their spellings.
        said: Those of their terms that the memory has, and of their forms.
    """
    kept: set[int] = set()
    for word in asked:
        every = frozenset[int]().union(*word.spellings)
        heard = {term for term, one in word.forms.items() if not one.terms.isdisjoint(said)}
        known = every.intersection(heard.union(said))
        kept |= known if any(spelling <= known for spelling in word.spellings) else every
    return frozenset(kept)


def hashed(obfuscator: Obfuscator, term: str) -> int:
    """A term as an index holds it."""
    return int.from_bytes(hashed_bytes(obfuscator, term))


def hashed_bytes(obfuscator: Obfuscator, term: str) -> bytes:
    """A term as a store holds it."""
    begins = prefix(term)
    return obfuscator.prefixed(begins, term) if begins else obfuscator.term(term)


def _hashed_spelling(obfuscator: Obfuscator, spelling: Sequence[str]) -> HashedSpelling:
    return frozenset(hashed(obfuscator, term) for part in spelling for term in stored(part, ()))


def _asked(
    obfuscator: Obfuscator, word: tuple[Spelling, ...], languages: Collection[str]
) -> AskedWord:
    single = [part for spelling in word if len(spelling) == 1 for part in spelling]
    several = [spelling for spelling in word if len(spelling) > 1]
    forms: dict[int, Forms] = {}
    halves: set[int] = set()
    for parts in (single, *([part] for spelling in several for part in spelling)):
        if not parts:
            continue
        first = _hashed_spelling(obfuscator, parts[:1])
        if in_halves(parts[0]):
            halves |= first
        if others := frozenset[str]().union(*(sought(part, languages) for part in parts)):
            begun = {hashed(obfuscator, one) for one in others if tells(prefix(one))}
            same = _hashed_spelling(obfuscator, parts) | {hashed(obfuscator, one) for one in others}
            forms[min(first)] = Forms(same, frozenset(one >> OPEN_BITS for one in begun))
    written = " ".join(word[0])
    if single and forms:  # one term stands for all
        word = (word[0] if len(word[0]) == 1 else (single[0],), *several)
    spellings = tuple(_hashed_spelling(obfuscator, spelling) for spelling in word)
    return AskedWord(written, spellings, forms, frozenset(halves))
