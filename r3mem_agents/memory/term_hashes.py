"""Keyed hashes of terms, as a store and a lookup use them."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.analysis.terms import indexed_terms, terms
from r3mem_agents.analysis.variants import prefix, stored
from r3mem_agents.analysis.words import Spelling, spelled
from r3mem_agents.memory.obfuscation import Obfuscator

HashedSpelling = frozenset[int]
"""The hashed terms of one spelling of a word."""


def hashed_words(
    obfuscator: Obfuscator, text: str, told: Collection[str] = ()
) -> list[tuple[HashedSpelling, ...]]:
    """Return the distinct words of a name or a question: the hashed terms of each spelling.

    Args:
        obfuscator: Hashes terms.
        text: The text.
        told: The languages whose function words are left out; English if there is none.
    """
    return [
        tuple(spelling_terms(obfuscator, spelling) for spelling in word)
        for word in dict.fromkeys(spelled(uniform(text), told))
    ]


def hashed_terms(obfuscator: Obfuscator, text: str) -> frozenset[int]:
    """Return the hashed terms of all spellings of the words of a name or a question."""
    every = (one for word in hashed_words(obfuscator, text) for one in word)
    return frozenset[int]().union(*every)


@lru_cache(maxsize=16)
def listed(obfuscator: Obfuscator, words: frozenset[str]) -> frozenset[int]:
    """Return the hashed terms of a list of words."""
    return hashed_terms(obfuscator, " ".join(words))


def hashed(obfuscator: Obfuscator, term: str) -> int:
    """Return a hashed term as a lookup uses it."""
    return int.from_bytes(_hash(obfuscator, term))


def term_hashes(obfuscator: Obfuscator, text: str, beside: str = "") -> bytes:
    """Return the hashes of a text's terms, ascending, by which lookups find it.

    Args:
        obfuscator: Hashes terms.
        text: The text.
        beside: Words that it is found by as well, once each.
    """
    found = indexed_terms(text)
    more = set(terms(beside)).difference(found) if beside else ()
    return b"".join(sorted(_hash(obfuscator, term) for term in [*found, *more]))


def spelling_terms(obfuscator: Obfuscator, spelling: Spelling) -> HashedSpelling:
    """Return the hashed terms of one spelling of a word."""
    return frozenset(hashed(obfuscator, term) for part in spelling for term in stored(part, ()))


def _hash(obfuscator: Obfuscator, term: str) -> bytes:
    begins = prefix(term)
    return obfuscator.prefixed(begins, term) if begins else obfuscator.term(term)
