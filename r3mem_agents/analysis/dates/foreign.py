"""Dates in questions in other languages than English: dateparser's, and the words around them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import regex

from r3mem_agents.analysis.dates.single import MONTHS, WEEKDAYS, WORD, Found, found_dates
from r3mem_agents.analysis.languages import ENGLISH, function_words, told_languages
from r3mem_agents.analysis.spelling import casefolded, uniform

MAX_LANGUAGES = 3
"""Most languages in which a text of uncertain language is read: each costs time."""

SHORTEST_NAME = 3
"""Shorter names of months and weekdays are abbreviations."""

BEFORE_IT = ("before", "after", "since", "until", "from", "between", "to", "and")
AFTER_IT = ("before_after", "after_after", "since_after", "until_after")

UNSPACED = frozenset(("zh", "ja", "th"))

# Patterns are compiled when a question first needs them: most have no date.
# In languages without spaces, dateparser finds only a date that stands alone.
_ALONE = (
    r"(?:\d+年)?\d+月(?:\d+[日号號])?|\d{4}年|[一二三四五六七八九十]{1,3}月(?:[一二三四五六七八九十\d]{1,3}[日号號])?"
    r"|前天|昨天|今天|去年|今年|前年|[上这這本]个?[周週月]|上個月|[一两二三四五六七八九十\d]+(?:天|周|个月|年)前"
    r"|星期[一二三四五六日天]|[周週][一二三四五六日]"
    r"|昨日|今日|一昨日|先週|先月|今週|今月|昨年|一昨年|\d+(?:日|週間|か月|ヶ月)前|[月火水木金土日]曜日"
    r"|เมื่อวาน|วันนี้|(?:\d+\s?วัน|(?:\d+\s?)?(?:สัปดาห์|เดือน|ปี))ที่แล้ว|\d{1,2}\s\p{Thai}{4,}(?:\s\d{4})?"
)
_COUNT = r"[一两二三四五六七八九十]+(?=天|周|个|年前|月|[日号號])"
_DIGITS = str.maketrans("一两二三四五六七八九", "1223456789")

_DAY_OF_MONTH = r"(\d+)月(\d+)[日号號]"

# What is left of an Italian word before an apostrophe, and what follows a Korean date.
_ELIDED = r"(?i)(?<!\w)(?:[cdlmnst]|un|dell|nell|sull|all|dall)'(?=\w)"
_AT = r"(?<=\p{Hangul})(?:에서|에는|에도|에)(?=\s|$)"
_WHOLE = r"[\p{L}\p{M}\p{N}]+"


class Related(NamedTuple):
    """A date and the word that leads to it.

    Attributes:
        found: The date.
        lead: The English equivalent of the word that leads to it, as in ``phrases``; empty if there
            is none.
        start: Where the leading words begin, or else the date.
        end: Where the date ends, or the words after it that belong to it.
    """

    found: Found
    lead: str
    start: int
    end: int


def date_languages(query: str) -> Sequence[str]:
    """Return the languages in which a question's dates are read: those identified, else English."""
    told = told_languages(uniform(query))
    return [ENGLISH] if not told or ENGLISH in told else told[:MAX_LANGUAGES]


def plain(text: str, language: str) -> str:
    """Rewrite a text for dateparser: numbers as digits, names in their most common case.

    Args:
        text: A short text.
        language: As of ``date_languages``.
    """
    if beside := {"it": _ELIDED, "ko": _AT}.get(language):
        text = regex.sub(beside, " ", text)
    if instead := _instead(language):
        text = regex.sub(_WHOLE, lambda found: instead.get(found[0].lower(), found[0]), text)
    return text


def talk_words(languages: Collection[str]) -> frozenset[str]:
    """Return the words by which a question in some languages asks for anything that was said."""
    found = (_table().get(language, {}).get("talk", "").split() for language in languages)
    return frozenset[str]().union(*found)


def related_dates(text: str, now: datetime, language: str) -> Iterator[Related]:
    """Find the dates of a text in another language than English, and the words that lead to them.

    Args:
        text: A short text.
        now: What "yesterday" is relative to.
        language: As of ``date_languages``.
    """
    if not _has_signs(text, language):
        return
    if language in UNSPACED:
        for one in regex.finditer(_ALONE, text):
            alone = regex.sub(_COUNT, lambda count: _counted(count[0]), one[0])
            if day := regex.fullmatch(_DAY_OF_MONTH, alone):
                alone = _with_year(int(day[1]), int(day[2]), now)
            for found, _ in found_dates(alone, now, language):
                lead, start, end = _relation(text, one.start(), one.start(), one.end(), language)
                yield Related(found._replace(place=one.start(), words=one[0]), lead, start, end)
                break
        return
    for found, settled in found_dates(text, now, language):
        inside = _words(found.words)
        named = not _names(language).isdisjoint(inside)
        counted = any(map(str.isdigit, found.words))
        # dateparser takes a preposition for part of a date, "de mayo"; that of "vor zwei Jahren"
        # is one.
        core = found.place + (_leading(found.words, language) if named else 0)
        end = found.place + len(found.words)
        lead, start, end = _relation(text, found.place, core, end, language)
        beside = [*_words(text[: found.place])[-1:], *inside[:-1]]
        led = lead or not _leads(language).isdisjoint(beside)
        months = _months(language)
        led = led or not months.isdisjoint([*beside, *_words(text[end:])[:1]])
        if ago := _ago(text[: found.place], language):
            start, settled = found.place - len(ago), True
        if settled or (named and (led or counted)) or (counted and _dated(inside, language)):
            yield Related(found, lead, start, end)


def _relation(text: str, start: int, core: int, end: int, language: str) -> tuple[str, int, int]:
    # How the words around a date relate it, and the extent of it all.
    before, after = _patterns(language)
    if (found := before.search(text[:core].lower())) and found.lastgroup:
        return found.lastgroup, min(found.start(), start), end
    if after and (found := after.match(text, end)) and found.lastgroup:
        return found.lastgroup.removesuffix("_after"), start, found.end()
    return "", start, end


def _counted(count: str) -> str:
    # A Chinese number below a hundred in digits.
    tens, ten, ones = count.translate(_DIGITS).partition("十")
    return f"{tens or 1}{ones or 0}" if ten else tens


def _with_year(month: int, day: int, now: datetime) -> str:
    # The last such day before ``now``, since dateparser reads few of these without a year.
    over = (month, day) > (now.month, now.day)
    return f"{now.year - over}年{month}月{day}日"


def _leading(words: str, language: str) -> int:
    # The length of the function words at the beginning of a date's words.
    lists, place = function_words([language]), 0
    for word in regex.finditer(r"[^\W_]+\W*", words):
        if casefolded(word[0].strip(" .'")) not in lists:
            break
        place = word.end()
    return place


def _has_signs(text: str, language: str) -> bool:
    if any(map(str.isdigit, text)):
        return True
    if language in UNSPACED:
        return bool(regex.search(_ALONE, text))
    return not _signs(language).isdisjoint(_words(text))


def _words(text: str) -> list[str]:
    return WORD.findall(casefolded(text))


@cache
def _names(language: str) -> frozenset[str]:
    """Months and weekdays of a language, in full: "mer" is the sea, and "vi" is "I saw"."""
    info = _locale(language)
    found = set[str]()
    for key in MONTHS + WEEKDAYS:
        names = {casefolded(name) for name in info.get(key, ())}
        found.update(
            name
            for name in names
            if len(name) >= SHORTEST_NAME
            and not any(other != name and other.startswith(name) for other in names)
        )
    return frozenset(word for name in found for word in _words(name) if len(word) > 1)


@cache
def _leads(language: str) -> frozenset[str]:
    # Words after which a name is a month or weekday; any function word, if none is listed.
    listed = _table().get(language, {}).get("filling", "")
    return frozenset(_words(listed)) or function_words([language])


@cache
def _months(language: str) -> frozenset[str]:
    # Words for a month.
    return frozenset(map(casefolded, _locale(language).get("month", ())))


def _dated(words: Collection[str], language: str) -> bool:
    # Whether any word is a month, abbreviated or not.
    info = _locale(language)
    listed = (name for key in MONTHS for name in info.get(key, ()))
    return not {casefolded(name) for name in listed}.isdisjoint(words)


def _ago(before: str, language: str) -> str:
    # The words before a number of days that say that these are over, if any.
    ago = _table().get(language, {}).get("ago", "")
    found = regex.search(rf"(?<!\w){ago}\s+$", before.lower()) if ago else None
    return found[0] if found else ""


@cache
def _instead(language: str) -> Mapping[str, str]:
    pairs = (pair.split("=") for pair in _table().get(language, {}).get("instead", "").split())
    return {word: other.replace("_", " ") for word, other in pairs}


@cache
def _signs(language: str) -> frozenset[str]:
    # Words of which a date has at least one: no function words, except those that are dates
    # themselves.
    info = _locale(language)
    relative = [_words(name) for names in info.get("relative-type", {}).values() for name in names]
    found = {word for words in relative for word in words}
    for key in ("year", "month", "week", "day"):
        found.update(word for name in info.get(key, ()) for word in _words(name) if len(word) > 1)
    for simple in info.get("simplifications", ()):
        for pattern in simple:
            found.update(word for word in _words(pattern) if len(word) > 2)
    alone = {words[0] for words in relative if len(words) == 1}
    return _names(language).union(found - function_words([language]), alone)


def _locale(language: str) -> Mapping[str, Any]:
    from dateparser.languages.loader import default_loader

    info: Mapping[str, Any] = default_loader.get_locale(language).info
    return info


@cache
def _patterns(language: str) -> tuple[regex.Pattern[str], regex.Pattern[str] | None]:
    table = _table().get(language, {})
    filling = rf"(?:(?:{table.get('filling', '')})\s*\.?\s*)*"

    def groups(keys: tuple[str, ...]) -> str:
        return "|".join(
            f"(?P<{key}>{'|'.join(sorted(table[key].split('|'), key=len, reverse=True))})"
            for key in keys
            if key in table
        )

    space = r"\s*" if language in UNSPACED else r"(?<!\w)"
    before = regex.compile(rf"{space}(?:{groups(BEFORE_IT) or '(?!)'})\s*{filling}$")
    after = groups(AFTER_IT)
    return before, regex.compile(after) if after else None


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files("r3mem_agents.analysis.dates").joinpath("words.json").read_text("utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table
