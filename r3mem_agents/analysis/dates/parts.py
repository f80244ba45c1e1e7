"""The parts of an English text that dateparser may find a date in.

dateparser tries every run of up to seven words, though most have a word that no date has: there the
text is cut. It finds the same in the parts, in a half to an eighth of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

BEGINNING = 3
"""Letters by which a word is taken for one that dateparser knows. It knows some by patterns, such
as "centur(?:y|ies)", so whole words would not do; chosen."""

ROMAN = frozenset("ivxlcdm")
VOWELS = frozenset("aeio")
"""By these dateparser tells that a text is English at all."""

LEFT_OUT = " of"
"""Where dateparser leaves a word out; with it a part without letters is English too."""

_TOKEN = re.compile(r"[^\s,|()@]+")  # as dateparser cuts a text
_LETTERS = re.compile(r"[^\W\d_]+")
_PLAIN = re.compile(r"""["']?([a-z]+(?:['-][a-z]+)*)["'.:;?!]*""")


def parts_with_dates(text: str) -> Iterator[str]:
    """Yield the parts of an English text between words that no date has.

    Args:
        text: A short text.
    """
    start = 0
    for token in _TOKEN.finditer(text):
        if _in_no_date(token[0]):
            yield from _part(text[start : token.start()])
            start = token.end()
    yield from _part(text[start:]) if start else [text]


def _part(text: str) -> list[str]:
    return [text + LEFT_OUT] if any(map(str.isalnum, text)) else []


def _in_no_date(token: str) -> bool:
    # Whether it has a word that dateparser does not know.
    plain = _PLAIN.fullmatch(token.casefold())
    return plain is not None and any(
        not (word[:BEGINNING] in _beginnings() or VOWELS.isdisjoint(word) or ROMAN.issuperset(word))
        for word in re.split("['-]", plain[1])
        if len(word) >= BEGINNING
    )


@cache
def _beginnings() -> frozenset[str]:
    """Of all words in dateparser's data for English, and of time zones."""
    from dateparser.languages.loader import default_loader
    from dateparser.timezones import timezone_info_list

    known = _strings([dict(default_loader.get_locale("en").info), timezone_info_list, "quarter"])
    words = (word for text in known for word in _LETTERS.findall(text.casefold()))
    return frozenset(word[:BEGINNING] for word in words)


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        yield from _strings([*data, *data.values()])
    elif isinstance(data, list | tuple):
        for one in data:
            yield from _strings(one)
