"""The terms of a part of a word: those that a turn stores, and others that a question searches for.

Words of other languages than English are stored as stems whose hashes begin with the hash of their
first letters (``Obfuscator.prefixed``). So words with endings that a stemmer leaves or does not
know are found by their beginning, without storing n-grams.
"""

from __future__ import annotations

from collections.abc import Collection

import regex

from r3mem_agents.analysis.languages import ENGLISH, latin_language
from r3mem_agents.analysis.spelling import paired, unaccented
from r3mem_agents.analysis.stems import stem
from r3mem_agents.analysis.unspaced import HIRAGANA, PAIR, RUN, clusters

PREFIXED = "~"
"""Begins every term that is also found by its prefix; no word contains it."""

LETTERS, SYLLABLES = 4, 2
"""Length of a prefix in alphabets, and in Korean. A Chinese one has one character."""

MIN_LETTERS = 3
"""Shorter prefixes begin too many words."""

SYLLABIC = "vi"
"""A language that writes syllables separately: its words have no other forms."""

_STEMMED = {
    r"\p{Cyrillic}": ("ru",),
    r"\p{Arabic}": ("ar", "fa"),
    r"\p{Devanagari}": ("hi",),
    r"\p{Hangul}": ("ko",),
    r"\p{Greek}": ("el",),
    r"\p{Armenian}": ("hy",),
    r"\p{Tamil}": ("ta",),
}
"""The languages whose endings are stripped from the words of a script."""

_STEMMERS = {regex.compile(script): languages for script, languages in _STEMMED.items()}
_NOT_LATIN = regex.compile(r"[\p{L}--\p{Latin}]", regex.V1)
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_HANGUL = regex.compile(r"\p{Hangul}")

# "ue" for "ü", and the like: see ``spelling.paired``.
_TWO_FOR_ONE = regex.compile("([aou])e|a(a)")


def in_halves(part: str) -> bool:
    """Return whether the terms of a part of a word are pairs, of which two make up about a word."""
    return bool(PAIR.fullmatch(part) or RUN.fullmatch(part))


def stored(part: str, told: Collection[str]) -> tuple[str, ...]:
    """Return the terms that a turn stores for a part of a word; several in scripts without spaces.

    Args:
        part: Casefolded; see ``words``.
        told: The languages that the turn may be in.
    """
    if RUN.fullmatch(part):
        return clusters(part)
    if part.isascii() or not _NOT_LATIN.search(part):
        return (_latin(part, latin_language(told)),)
    languages = _languages(part)
    return (_prefixed(part, next((one for one in languages if one in told), languages[0])),)


def sought(part: str, spoken: Collection[str]) -> frozenset[str]:
    """Return other terms under which a part of a word of a question may be stored.

    Args:
        part: Casefolded; see ``words``.
        spoken: The languages of turns in Latin letters, other than English.
    """
    if RUN.fullmatch(part):
        return frozenset()
    if part.isascii() or not _NOT_LATIN.search(part):
        single = _TWO_FOR_ONE.sub(r"\1\2", part)
        written = {part, paired(part), single} if spoken else ()
        return frozenset(_latin(one, language) for language in spoken for one in written)
    return frozenset(_prefixed(part, language) for language in _languages(part))


def prefix(term: str) -> str:
    """Return the prefix by which other forms of a term are found; empty for a term without one."""
    if not term.startswith(PREFIXED):
        return ""
    letters = term[len(PREFIXED) :]
    if PAIR.fullmatch(letters):
        return letters[0]
    return letters[: SYLLABLES if _HANGUL.match(letters) else LETTERS]


def tells(prefix: str) -> bool:
    """Return whether a prefix is long enough to be searched for."""
    if PAIR.fullmatch(prefix):
        return not HIRAGANA.match(prefix)
    return len(prefix) >= (SYLLABLES if _HANGUL.match(prefix) else MIN_LETTERS)


def _latin(part: str, language: str) -> str:
    if language == ENGLISH or not _WORD.fullmatch(part):
        return stem(part, ENGLISH)
    return unaccented(part) if language == SYLLABIC else _prefixed(part, language)


def _languages(part: str) -> tuple[str, ...]:
    # The languages whose endings a word in another script may have; "" for none.
    for script, languages in _STEMMERS.items():
        if script.search(part):
            return languages
    return ("",)


def _prefixed(part: str, language: str) -> str:
    return PREFIXED + (part if PAIR.fullmatch(part) else stem(part, language))
