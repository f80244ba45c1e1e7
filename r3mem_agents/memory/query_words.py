"""The words of a question, with the hashed terms under which they may be stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from r3mem_agents.analysis.languages import LATIN, told_languages
from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.analysis.terms import IN
from r3mem_agents.analysis.variants import in_halves, prefix, sought, tells
from r3mem_agents.analysis.words import Spelling, spelled
from r3mem_agents.lookup.hashes import OPEN_BITS
from r3mem_agents.lookup.postings import said_in
from r3mem_agents.lookup.question import Forms, Word
from r3mem_agents.lookup.snapshot import Snapshot
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.term_hashes import hashed, spelling_terms


class AskedWord(NamedTuple):
    """A word of a question.

    Attributes:
        written: The word as it is written, or its parts.
        word: Its terms.
    """

    written: str
    word: Word


def words_asked(obfuscator: Obfuscator, query: str, turns: Snapshot) -> list[AskedWord]:
    """Return the words of a question, in the forms that the turns' languages may give them."""
    languages = _languages(obfuscator)
    said = said_in(turns.postings, languages, turns.silent)
    return asked_words(obfuscator, query, [languages[term] for term in languages if term in said])


def asked_words(obfuscator: Obfuscator, query: str, languages: Collection[str]) -> list[AskedWord]:
    """Return the distinct words of a question, each with its spellings and forms.

    Args:
        obfuscator: Hashes terms.
        query: The question.
        languages: The turns' languages in Latin letters, other than English.
    """
    text = uniform(query)
    found = dict.fromkeys(spelled(text, told_languages(text)))
    return [_asked(obfuscator, word, languages) for word in found]


@lru_cache(maxsize=16)
def _languages(obfuscator: Obfuscator) -> Mapping[int, str]:
    """Hashes of the terms that name a turn's language, and those languages."""
    return {hashed(obfuscator, IN + language): language for language in LATIN}


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
        first = spelling_terms(obfuscator, tuple(parts[:1]))
        if in_halves(parts[0]):
            halves |= first
        if others := frozenset[str]().union(*(sought(part, languages) for part in parts)):
            begun = {hashed(obfuscator, one) for one in others if tells(prefix(one))}
            same = spelling_terms(obfuscator, tuple(parts)) | {
                hashed(obfuscator, one) for one in others
            }
            forms[min(first)] = Forms(frozenset(same), frozenset(one >> OPEN_BITS for one in begun))
    written = " ".join(word[0])
    if single and forms:  # one term stands for all
        word = (word[0] if len(word[0]) == 1 else (single[0],), *several)
    spellings = tuple(spelling_terms(obfuscator, spelling) for spelling in word)
    return AskedWord(written, Word(spellings, forms, frozenset(halves)))
