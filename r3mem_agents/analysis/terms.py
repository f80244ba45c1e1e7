"""Terms for lookups by words: stems of the spellings of words, numbers and names."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import regex

from r3mem_agents.analysis.languages import ENGLISH, latin_language, told_languages
from r3mem_agents.analysis.spelling import paired, unaccented, uniform
from r3mem_agents.analysis.variants import stored
from r3mem_agents.analysis.words import Spelling, spelled

ASKS = "?"
"""The term of a turn that asks something: the next turn may answer it."""

IN = "@"
"""Prefix of the term that names the language of a turn, if it is in Latin letters but not
English."""

QUESTION_MARK = regex.compile(r"\?(?!\w)|[\uff1f\u061f\u037e\u055e\u1367\u2e2e\u203d]")
"""Question marks of all scripts, except inside an address."""


def terms(text: str) -> list[str]:
    """Return the terms of a text in order, with repetitions: every spelling of each word.

    Args:
        text: Any text.
    """
    text = uniform(text)
    return _terms(text, told_languages(text))


def indexed_terms(text: str) -> list[str]:
    """Return the same, with terms for whether the text asks something and for its language."""
    text = uniform(text)
    told = told_languages(text)
    language = latin_language(told)
    marks = [ASKS] if QUESTION_MARK.search(text) else []
    return [*_terms(text, told), *marks, *([] if language == ENGLISH else [IN + language])]


def _terms(text: str, told: Collection[str]) -> list[str]:
    native = latin_language(told) == ENGLISH
    found: list[str] = []
    for word in spelled(text, told):
        parts = [part for spelling in (word if native else _written(word)) for part in spelling]
        found.extend(dict.fromkeys(term for part in parts for term in stored(part, told)))
    return found


def _written(word: tuple[Spelling, ...]) -> Iterable[Spelling]:
    # Stems have no accents, so spellings that differ only in accents add nothing.
    same = {unaccented(word[0][0]), paired(word[0][0])} if len(word[0]) == 1 else set[str]()
    return [one for one in word if one == word[0] or len(one) > 1 or one[0] not in same]
