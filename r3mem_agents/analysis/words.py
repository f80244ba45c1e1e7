"""A text's words, each with its spellings: docs/lookup.md shows the rules in a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import regex

from r3mem_agents.analysis.languages import ENGLISH, function_words, latin_language
from r3mem_agents.analysis.spelling import casefolded, paired, unaccented, uniform
from r3mem_agents.analysis.unspaced import CHINESE, RUN, pairs, pieces

Spelling = tuple[str, ...]
"""One way to write a word: the word itself, or its parts."""

_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{CHINESE}]"

TOKEN = regex.compile(
    rf"""
      (?P<unspaced> {CHINESE}+ )
    | (?P<phone>    (?<![\w.]) (?!\d{{4}}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d)
                    [+]?[(]?\d{{1,4}}[)]? (?:[-./\ ]{{1,2}}[(]?\d{{1,8}}[)]?){{1,6}} (?!\w) )
    | (?P<number>   (?<![\w.,]) \d{{1,3}} (?:(?:,\d{{2,3}})*,\d{{3}} | (?:'\d{{3}})+) (?!\w) )
    | (?P<symbol>   (?<!\w) (?:\p{{L}}(?:\+\+|\#)(?!\p{{L}})|\.(?i:net)(?!\w))
                    | \p{{Regional_Indicator}}{{2}} | \p{{Extended_Pictographic}}
                    | [\p{{Co}}\p{{Cn}}] )
    | (?P<word>     {_LETTER}+ (?:(?:[-'.&\u2010\u2011]|_+){_LETTER}+)* )
    """,
    regex.V1 | regex.VERBOSE,
)

# Between "get" and "User", "HTTP" and "Server", "covid" and "19".
BOUNDARY = regex.compile(
    r"(?<=\p{Ll}\p{M}*)(?=\p{Lu})|(?<=\p{Lu}\p{M}*)(?=\p{Lu}\p{M}*\p{Ll})"
    r"|(?<=\p{L}\p{M}*)(?=\p{N})|(?<=\p{N})(?=\p{L})",
    regex.V1,
)
CONNECTOR = regex.compile(r"[-'.&_\u2010\u2011]+")

CLITIC = regex.compile(r"'(?:s|d|ll|ve|re|m|t)$")
"""English endings: "Anna's", "Anna'll"."""

ORDINAL = frozenset(("st", "nd", "rd", "th"))

MAX_PARTS = 8
"""A string with more parts, such as a hash or a key in base 64, is one word."""

ELIDED = regex.compile(
    r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|un|dell|nell|sull|all|dall)'(?=\w)", regex.IGNORECASE
)
"""Elided words of French and Italian before an apostrophe."""

SUFFIX = regex.compile(r"'\p{Ll}+$")
"""A suffix of a name in Turkish."""

POLITE = frozenset("sie ihr ihre ihrem ihren ihrer ihnen i".split())  # noqa: SIM905
"""Function words that are written like names."""

# Inside a sentence.
_GOES_ON = regex.compile(r"[\p{L}\p{M}\p{N},;]['\"\u201c\u201e]?\s+['\"\u201c\u201e]?$")

PHONE_DIGITS = range(7, 16)
TAIL_DIGITS = 7
"""Two numbers that share this many last digits are the same, with and without a country code."""


def words(text: str) -> Iterator[tuple[Spelling, ...]]:
    """Yield the words of an English text in order, without stop words.

    Args:
        text: Any text.

    Yields:
        The spellings of each, the most exact one first; none of them is stemmed.
    """
    yield from spelled(uniform(text), ())


def spelled(text: str, told: Collection[str]) -> Iterator[tuple[Spelling, ...]]:
    """Yield the words of a text in one of several languages.

    A function word of another language than English is kept if it is written as a name: capitalized
    inside a sentence.

    Args:
        text: In compatible forms (``uniform``).
        told: The languages that it may be in, whose function words are left out; English if there
            is none.
    """
    stop_words = function_words(told)
    native = latin_language(told) == ENGLISH
    cased = not (native or text.istitle() or text.isupper())
    for token in TOKEN.finditer(text):
        found = token[0]
        match token.lastgroup:
            case "unspaced":
                yield from (((pair,),) for pair in pairs(found))
            case "phone":
                yield from _phone(found)
            case "number":
                yield from _digits(CONNECTOR.sub("", found).replace(",", ""))
            case "symbol":
                yield ((casefolded(found),),)
            case _ if RUN.fullmatch(found):
                yield from (((piece,),) for piece in pieces(found))
            case _ if native:
                if spellings := _spellings(found, stop_words):
                    yield spellings
            case _:
                bare = (SUFFIX if "tr" in told else ELIDED).sub("", found)
                named = cased and bare.istitle() and casefolded(bare) not in POLITE
                named = named and bool(
                    _GOES_ON.search(text, max(token.start() - 4, 0), token.start())
                )
                if not named and _inverted(bare, stop_words):
                    continue
                if spellings := _spellings(bare, frozenset() if named else stop_words):
                    yield spellings


def _inverted(found: str, stop_words: Collection[str]) -> bool:
    # Whether hyphens join nothing but function words: "est-il", "as-tu", "a-t-elle".
    parts = casefolded(found).split("-")
    return len(parts) > 1 and all(part == "a" or part in stop_words for part in parts)


def _phone(found: str) -> Iterator[tuple[Spelling, ...]]:
    parts = tuple(regex.findall(r"\d+", found))
    digits = "".join(parts)
    grouped = all(len(part) == 3 for part in parts[1:]) and regex.search(r"^\d+[. ]", found)
    if len(digits) in PHONE_DIGITS:
        tail = (digits[-TAIL_DIGITS:],)
        yield tuple(dict.fromkeys(((digits,), tail, parts)))
    elif grouped:  # 12 500
        yield (digits,), parts
    elif regex.fullmatch(r"\d+\.\d+", found):
        yield (found,), parts
    elif " " in found:  # several numbers
        for piece in found.split():
            yield from words(piece)
    else:
        yield from (((part,),) for part in parts)


def _digits(digits: str) -> Iterator[tuple[Spelling, ...]]:
    if len(digits) in PHONE_DIGITS:
        yield tuple(dict.fromkeys(((digits,), (digits[-TAIL_DIGITS:],))))
    else:
        yield ((digits,),)


def _spellings(found: str, stop_words: Collection[str]) -> tuple[Spelling, ...]:
    whole = casefolded(found)
    if whole in stop_words or whole.endswith("n't"):
        return ()
    if whole.isalpha() and whole.isascii() and (whole == found or found.istitle()):
        return ((whole,),)
    if whole.isdecimal():
        return next(_digits(whole))
    clitic = CLITIC.search(whole)
    bare = found[: -len(clitic[0])] if clitic else found
    parts = [part for piece in CONNECTOR.split(bare) for part in BOUNDARY.split(piece)]
    if not 1 < len(parts) <= MAX_PARTS:
        return _accents(casefolded(CONNECTOR.sub("", bare)), stop_words)
    pieces = [casefolded(part) for part in parts]
    joined = _accents("".join(pieces), stop_words)
    if all(piece.isdecimal() for piece in pieces):
        joined = ()  # a date, a score, a range
    told = tuple(unaccented(piece) for piece in pieces if _tells(piece, stop_words))
    return (*joined, *([told] if told else []))


def _tells(part: str, stop_words: Collection[str]) -> bool:
    # Whether a part of a word means something alone.
    return part.isdecimal() or (len(part) > 1 and part not in stop_words and part not in ORDINAL)


def _accents(word: str, stop_words: Collection[str]) -> tuple[Spelling, ...]:
    # As it is written, and without accents, unless that gives a stop word.
    plain = dict.fromkeys((word, unaccented(word), paired(word)))
    found = [(form,) for form in plain if form not in stop_words]
    return tuple(found)
