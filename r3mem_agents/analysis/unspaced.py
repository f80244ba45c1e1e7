"""Terms of scripts without spaces: pairs of characters, or of clusters of characters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import regex

from r3mem_agents.analysis.languages import function_words

CHINESE = r"[\p{Han}\p{Hiragana}\p{Katakana}\u30fc]"
"""Chinese and Japanese characters, as a character class of a regular expression."""

PAIR = regex.compile(rf"{CHINESE}{{1,2}}")
"""A pair of these, or one that stands alone."""

HIRAGANA = regex.compile(r"\p{Hiragana}+")

RUN = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")
"""A run of Thai, or of neighbouring scripts without spaces."""

# An ending of a Japanese word and what follows it form no pair.
_TURN = regex.compile(r"\p{Hiragana}[^\p{Hiragana}]")

# Marks that Thai and its neighbours write around a consonant.
_CLUSTER = regex.compile(
    r"[\u0e40-\u0e44\u0ec0-\u0ec4]?"
    r"[\p{L}--[\u0e2f-\u0e33\u0e40-\u0e46\u0eb0-\u0eb3\u0ec0-\u0ec6]]"
    r"\p{M}*[\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3]*|.",
    regex.V1,
)


def pairs(run: str) -> Iterator[str]:
    """Yield the bigrams of a run of Chinese or Japanese, without endings.

    They are those of Lucene's CJKAnalyzer.
    """
    for place in range(max(1, len(run) - 1)):
        pair = run[place : place + 2]
        if not _TURN.fullmatch(pair):
            if pair not in _endings():
                yield pair
        elif place + 2 == len(run):
            yield pair[1]


def pieces(run: str) -> Iterator[str]:
    """Yield the pieces of a run of Thai between its function words."""
    yield from filter(None, _thai().split(run))


def clusters(piece: str) -> tuple[str, ...]:
    """Return the pairs of clusters of a piece of Thai."""
    found = _CLUSTER.findall(piece)
    return tuple("".join(found[place : place + 2]) for place in range(max(1, len(found) - 1)))


@cache
def _endings() -> frozenset[str]:
    # Pairs inside function words, and of the end of one and the beginning of another.
    listed = [word for word in function_words(["ja"]) if HIRAGANA.fullmatch(word)]
    inside = {word[place : place + 2] for word in listed for place in range(len(word) - 1)}
    return frozenset(inside.union(one[-1] + other[0] for one in listed for other in listed))


@cache
def _thai() -> regex.Pattern[str]:
    listed = sorted(function_words(["th"]), key=len, reverse=True)
    return regex.compile("|".join(map(regex.escape, listed)))
