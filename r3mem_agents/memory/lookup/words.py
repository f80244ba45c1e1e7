"""A text's words, each with its spellings: docs/lookup.md shows the rules in a table."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from r3mem_agents.memory.lookup.spelling import casefolded, paired, unaccented, uniform
from r3mem_agents.memory.lookup.stopwords import STOP_WORDS

Spelling = tuple[str, ...]
"""One way to write a word: itself, or the parts that it has."""

# Chinese and Japanese write no spaces: a run of them is cut into pairs of neighbours (the bigrams
# of Lucene's CJKAnalyzer).
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\u30fc]"
_LETTER = rf"[[\p{{L}}\p{{M}}\p{{N}}]--{_UNSPACED}]"

TOKEN = regex.compile(
    rf"""
      (?P<unspaced> {_UNSPACED}+ )
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

MOST_PARTS = 8
"""What has more, a hash or a key in base 64, is one word."""

PHONE_DIGITS = range(7, 16)
TAIL_DIGITS = 7
"""Two numbers with so many last digits in common are one, with and without the country's code."""


def words(text: str) -> Iterator[tuple[Spelling, ...]]:
    """The words of a text in order, without stop words.

    Args:
        text: Any text.

    Yields:
        The spellings of each, the most exact one first; none of them is stemmed.
    """
    for token in TOKEN.finditer(uniform(text)):
        found = token[0]
        match token.lastgroup:
            case "unspaced":
                for place in range(max(1, len(found) - 1)):
                    yield ((found[place : place + 2],),)
            case "phone":
                yield from _phone(found)
            case "number":
                yield from _digits(CONNECTOR.sub("", found).replace(",", ""))
            case "symbol":
                yield ((casefolded(found),),)
            case _:
                if spellings := _spellings(found):
                    yield spellings


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


def _spellings(found: str) -> tuple[Spelling, ...]:
    whole = casefolded(found)
    if whole in STOP_WORDS or whole.endswith("n't"):
        return ()
    if whole.isalpha() and whole.isascii() and (whole == found or found.istitle()):
        return ((whole,),)
    if whole.isdecimal():
        return next(_digits(whole))
    clitic = CLITIC.search(whole)
    bare = found[: -len(clitic[0])] if clitic else found
    parts = [part for piece in CONNECTOR.split(bare) for part in BOUNDARY.split(piece)]
    if not 1 < len(parts) <= MOST_PARTS:
        return _accents(casefolded(CONNECTOR.sub("", bare)))
    pieces = [casefolded(part) for part in parts]
    joined = _accents("".join(pieces))
    if all(piece.isdecimal() for piece in pieces):
        joined = ()  # a date, a score, a range
    told = tuple(unaccented(piece) for piece in pieces if _tells(piece))
    return (*joined, *([told] if told else []))


def _tells(part: str) -> bool:
    # Whether part of a word says something alone.
    return part.isdecimal() or (len(part) > 1 and part not in STOP_WORDS and part not in ORDINAL)


def _accents(word: str) -> tuple[Spelling, ...]:
    # Exactly as it is written, and without accents; a stop word does not come of that.
    plain = dict.fromkeys((word, unaccented(word), paired(word)))
    found = [(form,) for form in plain if form not in STOP_WORDS]
    return tuple(found)
