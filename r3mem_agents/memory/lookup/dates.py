"""The times that a question names: dateparser finds them, and the doubtful ones are dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from r3mem_agents.memory.lookup.terms import terms
from r3mem_agents.memory.moments import to_integers

WORD = re.compile(r"[^\W_]+")

MOST_CHARACTERS = 200
"""Only so much of a question's beginning is searched: each word costs dateparser milliseconds."""

NAMES = frozenset(
    """
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu fri sat sun
    """.split()  # noqa: SIM905 - as for stop words
)
"""Months and days. dateparser's own two letters for days are left out: one of them is "we"."""

SIGNS = NAMES.union(
    """
    today yesterday tomorrow tonight morning afternoon evening night
    day days week weeks wk month months mo mth year years yr
    """.split()  # noqa: SIM905 - as for stop words
)
"""A question without a digit and without one of these names no date; dateparser is not even loaded
then, which takes 0.3 s."""

LEADS = frozenset("in on during since until early late last".split())  # noqa: SIM905
"""Before a lone name of ``NAMES`` they tell a month from a person, or a verb."""

ASKING = frozenset(
    terms(
        "happen going say said tell told talk speak spoke discuss mention chat conversation "
        "remember since until early late last day week weekend month year date"
    )
)
"""Terms with which a question asks for whatever was said at a time."""

SILENT = str.maketrans("?!", "  ")
"""dateparser takes these for parts of a date's words."""

MARGIN_US = 366 * 86_400_000_000
"""A time farther than a year from all turns is taken for none: 2077 in a title, an invoice 9317."""

FLOORS = {"time": "D", "part_of_day": "D", "day": "D", "week": "W", "month": "M", "year": "Y"}
"""numpy's unit for each of dateparser's periods."""

MONDAY = np.timedelta64(3, "D")
"""numpy's weeks begin on Thursdays, as 1970 did."""


class Span(NamedTuple):
    """A time from ``start`` up to ``end``, excluded; microseconds since 1970 in UTC."""

    start: int
    end: int


class Dates(NamedTuple):
    """What a question says of time.

    Attributes:
        spans: The times that it names.
        words: The words with which it does.
        only: Whether it names some and says nothing else that turns could be found by.
    """

    spans: tuple[Span, ...] = ()
    words: str = ""
    only: bool = False


NO_DATES = Dates()


def find_dates(query: str, now: datetime | None, turns: Span) -> Dates:
    """Find the days, weeks, months and years that a question names, in English.

    Args:
        query: The question; only its first ``MOST_CHARACTERS`` are searched.
        now: What "yesterday" or "in May" are relative to, in whose zone a day begins at midnight;
            ``None`` means this moment in the local zone.
        turns: From the first turn to the last.
    """
    text = query[:MOST_CHARACTERS].translate(SILENT)
    words = WORD.findall(text.casefold())
    if SIGNS.isdisjoint(words) and not any(map(str.isdigit, text)):
        return NO_DATES
    now = now or datetime.now().astimezone()
    for unit in ("day", "week", "month", "year"):  # dateparser's search passes over "a"
        text = text.replace(f"a {unit} ago", f"one {unit} ago")
    spans: dict[Span, str] = {}
    rest = [query[MOST_CHARACTERS:]]
    for found, span in _search(text, now):
        if span.start < turns.end + MARGIN_US and span.end > turns.start - MARGIN_US:
            before, _, text = text.partition(found)
            rest.append(before)
            spans[span] = f"{spans.get(span, '')} {found}"
    only = bool(spans) and ASKING.issuperset(terms(" ".join([*rest, text])))
    return Dates(tuple(spans), "".join(spans.values()), only)


def _search(text: str, now: datetime) -> Iterator[tuple[str, Span]]:
    # The words of each date that can be trusted, in order, and the time that they name.
    from dateparser.search import search_dates

    base = now.replace(tzinfo=None)

    def search(some: str, **settings: Any) -> list[Any]:
        settings |= {"RELATIVE_BASE": base, "RETURN_TIME_AS_PERIOD": True}
        options: Any = {"languages": ["en"], "strategy": "ngram", "add_period": True}
        return search_dates(some, settings=settings, **options) or []

    place = 0
    for found in search(text, PREFER_DATES_FROM="past"):
        words, date, period = found
        start = text.index(words, place)
        place = start + len(words)
        # What means the same to a reader who looks ahead leaves nothing open, so "three years" is
        # no date. A time may be "now", or "the 90s", which dateparser takes for seconds.
        settled = found in search(words, PREFER_DATES_FROM="future", REQUIRE_PARTS=["year"])
        settled &= period != "time"
        if period in FLOORS and (settled or _named(text[:start], words)):
            yield words, _span(date, period, now)


def _named(before: str, words: str) -> bool:
    # Whether words that leave the year open name a day or a month: "7 May", "in May", "on Friday".
    inside = WORD.findall(words.casefold())
    numbered = any(word[0].isdigit() for word in inside)
    if numbered and not NAMES.isdisjoint(inside):
        return True
    around = WORD.findall(before.casefold())[-1:] + inside
    return any(lead in LEADS and name in NAMES for lead, name in pairwise(around))


def _span(date: datetime, period: str, now: datetime) -> Span:
    # In numpy's calendar, since Python's ends with the year 9999.
    shift = MONDAY if period == "week" else np.timedelta64(0, "D")
    first = (np.datetime64(date.date()) + shift).astype(f"M8[{FLOORS[period]}]")
    offset = 1_000_000 * to_integers(now)[1]
    days = [when.astype("M8[D]") - shift for when in (first, first + 1)]
    start, end = (int(day.astype("M8[us]").astype(np.int64)) - offset for day in days)
    return Span(start, end)
