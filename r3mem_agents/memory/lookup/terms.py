"""The entity level's terms: stems of the spellings of words, numbers and names."""

from __future__ import annotations

import threading
from collections.abc import Collection

import regex
import Stemmer

from r3mem_agents.memory.lookup.words import Spelling, words
from r3mem_agents.memory.sealing import Sealer

HashedSpelling = frozenset[int]
"""The hashed terms of one spelling of a word."""

ASKS = "?"
"""The term of a turn that asks something: what is said next may answer it."""

QUESTION_MARK = regex.compile(r"\?(?!\w)|[\uff1f\u061f\u037e\u055e\u1367\u2e2e\u203d]")
"""Those of all scripts, not the one inside an address."""

_local = threading.local()


def terms(text: str) -> list[str]:
    """Terms of a text in order, repetitions kept: those of every spelling of each word.

    Args:
        text: Any text.
    """
    found: list[str] = []
    for word in words(text):
        found.extend(dict.fromkeys(part for spelling in word for part in spelling))
    stems: list[str] = _stemmer().stemWords(found)
    return stems


def hashed_terms(sealer: Sealer, text: str) -> set[int]:
    """The distinct terms of a text, as an index holds them."""
    return {_hashed(sealer, term) for term in set(terms(text))}


def hashed_words(sealer: Sealer, text: str) -> list[tuple[HashedSpelling, ...]]:
    """The distinct words of a text, each with its spellings, as an index holds their terms."""
    return [
        tuple(_hashed_spelling(sealer, spelling) for spelling in word)
        for word in dict.fromkeys(words(text))
    ]


def settled(asked: Collection[tuple[HashedSpelling, ...]], said: Collection[int]) -> frozenset[int]:
    """The terms by which a memory is searched for words.

    A word that is said in one of its spellings is not missed in the others.

    Args:
        asked: The words of a question, with their spellings.
        said: Those of their terms that the memory has.
    """
    kept: set[int] = set()
    for spellings in asked:
        every = frozenset[int]().union(*spellings)
        known = every.intersection(said)
        kept |= known if any(spelling <= known for spelling in spellings) else every
    return frozenset(kept)


def _hashed(sealer: Sealer, term: str) -> int:
    return int.from_bytes(sealer.term(term))


def _hashed_spelling(sealer: Sealer, spelling: Spelling) -> HashedSpelling:
    return frozenset(_hashed(sealer, stem) for stem in _stemmer().stemWords(spelling))


def _stemmer() -> Stemmer.Stemmer:
    # A stemmer keeps a cache without a lock, so each thread has its own.
    if not hasattr(_local, "stemmer"):
        _local.stemmer = Stemmer.Stemmer("english")
    stemmer: Stemmer.Stemmer = _local.stemmer
    return stemmer
