"""Single dates of a text: dateparser finds them, and doubtful ones are dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np

from r3mem_agents.analysis.dates.parts import parts_with_dates
from r3mem_agents.analysis.languages import ENGLISH
from r3mem_agents.timestamps import Span, to_integers

WORD = re.compile(r"[^\W_]+")

MONTHS = """
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
""".split()  # noqa: SIM905 - as for stop words

WEEKDAYS = """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu fri sat sun
""".split()  # noqa: SIM905

NAMES = frozenset(MONTHS + WEEKDAYS)
"""Months and days. dateparser's own two letters for days are left out: one of them is "we"."""

SIGNS = NAMES.union(
    """
    today yesterday tomorrow tonight morning afternoon evening night
    day days week weeks wk month months mo mth year years yr
    """.split()  # noqa: SIM905
)
"""A text without a digit or one of these words names no date. Then dateparser, which takes 0.3 s to
load, is not even imported."""

RELATIVE = frozenset("today yesterday tomorrow tonight".split())  # noqa: SIM905
"""Days that need no number; they name the day even with a time of day."""

LEADS = frozenset("in on during early late last".split())  # noqa: SIM905
"""Before a single word of ``NAMES`` these distinguish a month from a person or a verb."""

FLOORS = {"time": "D", "part_of_day": "D", "day": "D", "week": "W", "month": "M", "year": "Y"}
"""numpy's unit for each of dateparser's periods."""

MONDAY = np.timedelta64(3, "D")
"""numpy's weeks begin on Thursdays, as 1970 did."""


class Found(NamedTuple):
    """A date in a text.

    Attributes:
        place: Where its words begin.
        words: The words.
        span: The time that they name.
    """

    place: int
    words: str
    span: Span


def has_signs(text: str) -> bool:
    """Return whether a text can name a date at all."""
    return any(map(str.isdigit, text)) or not SIGNS.isdisjoint(WORD.findall(text.casefold()))


def single_dates(text: str, now: datetime, lead: str = "") -> Iterator[Found]:
    """Find the unambiguous days, weeks, months and years of a text, in order.

    Args:
        text: A short text in English.
        now: What "yesterday" is relative to, in whose zone a day begins at midnight.
        lead: The word before the text, if after it a single name is a month or weekday.
    """
    for found, settled in found_dates(text, now, ENGLISH):
        if settled or _named(f"{lead} {text[: found.place]}", found.words, LEADS | {lead}):
            yield found


def found_dates(text: str, now: datetime, language: str) -> Iterator[tuple[Found, bool]]:
    """Find what dateparser reads as days, weeks, months and years, in order.

    Args:
        text: A short text.
        now: What "yesterday" is relative to, in whose zone a day begins at midnight.
        language: That of the text, as dateparser calls it.

    Yields:
        Each of them, and whether its words are unambiguous.
    """
    from dateparser.search import search_dates

    base = now.replace(tzinfo=None)

    def search(some: str, **settings: Any) -> list[Any]:
        settings |= {"RELATIVE_BASE": base, "RETURN_TIME_AS_PERIOD": True}
        options: Any = {"languages": [language], "strategy": "ngram", "add_period": True}
        return search_dates(some, settings=settings, **options) or []

    parts = parts_with_dates(text) if language == ENGLISH else [text]
    place = 0
    for found in chain.from_iterable(search(part, PREFER_DATES_FROM="past") for part in parts):
        words, date, period = found
        start = text.find(words, place)
        if start < 0:  # in letters of another form
            continue
        place = start + len(words)
        # Unambiguous is what a reader who looks ahead understands in the same way, so "three years"
        # is no date. A time may be "now", or "the 90s", which dateparser takes for seconds.
        settled = found in search(words, PREFER_DATES_FROM="future", REQUIRE_PARTS=["year"])
        if period in FLOORS:
            yield Found(start, words, _span(date, period, now)), settled and period != "time"


def _named(before: str, words: str, leads: frozenset[str]) -> bool:
    # Whether words that leave the year open name a day or a month: "7 May", "in May", "on Friday".
    inside = WORD.findall(words.casefold())
    numbered = any(word[0].isdigit() for word in inside)
    if numbered and not (NAMES | RELATIVE).isdisjoint(inside):
        return True
    around = WORD.findall(before.casefold())[-1:] + inside
    return any(lead in leads and name in NAMES for lead, name in pairwise(around))


def _span(date: datetime, period: str, now: datetime) -> Span:
    # In numpy's calendar, since Python's ends with the year 9999.
    shift = MONDAY if period == "week" else np.timedelta64(0, "D")
    first = (np.datetime64(date.date()) + shift).astype(f"M8[{FLOORS[period]}]")
    start, end = (_midnight(when.astype("M8[D]") - shift, now) for when in (first, first + 1))
    return Span(start, end)


def _midnight(day: np.datetime64, now: datetime) -> int:
    # By the offset of that day, since daylight saving time may begin or end before it.
    try:
        begins = datetime.combine(day.astype(object), time(), now.tzinfo)
        return to_integers(begins)[0]
    except (OverflowError, TypeError, ValueError):  # next to the years 1 and 9999, and beyond
        return int(day.astype("M8[us]").astype(np.int64)) - 1_000_000 * to_integers(now)[1]
