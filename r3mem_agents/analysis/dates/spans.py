"""The times that a question names: a small grammar of the words around single dates.

"before May", "from 3 to 5 May 2023", "the week before 3 August", "in May and June".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from r3mem_agents.analysis.dates.foreign import date_languages, plain, related_dates
from r3mem_agents.analysis.dates.phrases import BACKWARDS, Phrase, phrases
from r3mem_agents.analysis.dates.single import (
    NAMES,
    WORD,
    Found,
    has_signs,
    single_dates,
)
from r3mem_agents.analysis.languages import ENGLISH
from r3mem_agents.timestamps import (
    DAY_US,
    EVER_US,
    LOCAL,
    Span,
    from_integers,
    to_integers,
)

MAX_CHARACTERS = 200
"""Only this much of a question is searched: each word costs dateparser milliseconds."""

SILENT = str.maketrans(dict.fromkeys("?!\u00bf\u00a1\u061f\uff1f\uff01\u3002", " "))
"""dateparser takes these characters for parts of a date's words."""

MARGIN_US = 366 * DAY_US
"""A time more than a year away from all turns is no date: 2077 in a title, an invoice 9317."""

TO = frozenset(("to", "until", "till", "through", "thru"))
LISTED = frozenset(("and", "or"))
UNTIL = frozenset(("until", "till", "through", "thru", "up to", "by"))
BESIDE = frozenset(("before", "after"))
ALWAYS_LEAD = BESIDE | frozenset(("since", "between", "until", "till"))
"""After these a single name is a month or a weekday, not a person."""

COUNTED = re.compile(
    r"\b(the|an?|one|two|three|four|five|six|seven|\d\d?)\s+(day|night|week|month|year)s?\s*$",
    re.IGNORECASE,
)
COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
DAYS = {"day": 1, "night": 1, "week": 7, "month": 31, "year": 366}

FILLING = re.compile(r"\s*(?:(?:on|in|the|early|late)\s+)*", re.IGNORECASE)
ONWARDS = re.compile(r"\s*onwards?\b", re.IGNORECASE)
ON = re.compile(r"\s*on\b", re.IGNORECASE)
LONE_ONWARDS = re.compile(r"\s*[^\W\d_]+\s+(?:onwards?\b|on\s*(?:[,.;]|$))", re.IGNORECASE)
BACK = re.compile(rf"\s*{BACKWARDS}\b")


class Dates(NamedTuple):
    """The times in a question.

    Attributes:
        spans: The times that it names.
        words: The words that name them.
        rest: The other words.
    """

    spans: tuple[Span, ...] = ()
    words: str = ""
    rest: str = ""


class _Mention(NamedTuple):
    # A date, the word that leads to it, the length of time counted from it, whether it ends what
    # the one before it begins, and whether that time extends forwards or backwards.
    found: Found
    lead: str = ""
    counted_us: int = 0
    inclusive: bool = False
    joined: bool = False
    onwards: bool = False
    backwards: bool = False


def find_dates(query: str, now: datetime | None, turns: Span) -> Dates:
    """Find the times that a question names: days to years, and spans of these.

    Args:
        query: The question; only its first ``MAX_CHARACTERS`` are searched.
        now: What "yesterday" or "in May" are relative to, in whose zone a day begins at midnight;
            ``None`` means this moment in the local zone.
        turns: The span from the first turn to the last.
    """
    text = query[:MAX_CHARACTERS].translate(SILENT)
    if ENGLISH not in (languages := date_languages(query)):
        now = now or datetime.now(LOCAL)
        read = (_foreign(text, query, now, turns, language) for language in languages)
        return next((dates for dates in read if dates.spans), Dates(rest=query))
    if not has_signs(text):
        return Dates(rest=query)
    now = now or datetime.now(LOCAL)
    rest = [query[MAX_CHARACTERS:]]
    mentions = list(_mentions(phrases(text), now, turns, rest))
    spans = dict.fromkeys(_within(_spans(mentions, now)))
    return Dates(tuple(spans), " ".join(one.found.words for one in mentions), " ".join(rest))


def _foreign(text: str, query: str, now: datetime, turns: Span, language: str) -> Dates:
    # The same in another language: dates first, then the words around them.
    text = plain(text, language)
    dates = related_dates(text, now, language)
    near = [one for one in dates if _near(one.found.span, turns)]
    mentions: list[_Mention] = []
    rest, place = [], 0
    for one in near:
        between = text[place : one.start]
        joined = bool(mentions) and not between.strip(" ,") and one.lead in TO | LISTED
        rest.append(between)
        place = one.end
        mentions.append(_Mention(one.found, one.lead, joined=joined))
    rest += [text[place:], query[MAX_CHARACTERS:]]
    spans = dict.fromkeys(_spans(mentions, now))
    return Dates(tuple(spans), " ".join(one.found.words for one in near), " ".join(rest))


def _mentions(
    parts: Sequence[Phrase], now: datetime, turns: Span, rest: list[str]
) -> Iterator[_Mention]:
    # The dates of a text near its turns, in order; ``rest`` gets the words around them.
    linked = False  # the part before ends with a date
    for part, (before, following) in zip(parts, _around(parts), strict=True):
        joins = linked and part.lead in TO | LISTED
        ranged = part.lead == "from" and following in TO
        ranged |= part.lead == "from" and bool(LONE_ONWARDS.match(part.text))
        alone = joins or ranged or part.lead in ALWAYS_LEAD
        place, linked = 0, False
        # "the two weeks" before a date are counted from it, and are no date themselves.
        counted = COUNTED.search(part.text) if following in BESIDE else None
        text = part.text[: counted.start()] if counted else part.text
        for found in single_dates(text, now, part.lead if alone else ""):
            if not _near(found.span, turns):
                continue
            between = part.text[place : found.place]
            rest.append(between)
            place = found.place + len(found.words)
            after = part.text[place:]
            mention = _Mention(
                found,
                onwards=bool(ONWARDS.match(after)),
                backwards=bool(BACK.match(after)),
            )
            if not linked and FILLING.fullmatch(between):
                goes_on = part.lead == "from" and bool(ON.match(after))
                mention = mention._replace(
                    lead=part.lead,
                    counted_us=_counted(before.text) if before else 0,
                    inclusive=before is not None
                    and before.lead == "or"
                    and not before.text.strip(),
                    joined=joins,
                    onwards=mention.onwards or goes_on,
                )
            yield mention
            linked = True
        rest.append(part.text[place:])
        linked = linked and not part.text[place:].strip(" ,")


def _around(parts: Sequence[Phrase]) -> Iterator[tuple[Phrase | None, str]]:
    # For each part the one before it, and the word that leads to the next one.
    for number in range(len(parts)):
        before = parts[number - 1] if number else None
        yield before, parts[number + 1].lead if number + 1 < len(parts) else ""


def _near(span: Span, turns: Span) -> bool:
    return span.start < turns.end + MARGIN_US and span.end > turns.start - MARGIN_US


def _counted(before: str) -> int:
    # "the week" or "two days" before a word like "before".
    found = COUNTED.search(before)
    if not found:
        return 0
    count, unit = found[1].lower(), found[2].lower()
    return (int(count) if count.isdecimal() else COUNTS.get(count, 1)) * DAYS[unit] * DAY_US


def _spans(mentions: Sequence[_Mention], now: datetime) -> Iterator[Span]:
    ended = False
    for one, following in pairwise([*mentions, None]):
        assert one is not None
        if ended:
            ended = False
        elif following and following.joined and (following.lead in TO or one.lead == "between"):
            ended = True
            yield _from_to(one.found, following.found, now)
        else:
            yield _bounded(one)


def _within(spans: Iterable[Span]) -> list[Span]:
    # In "after May but before July" each closes the span that the other leaves open.
    found: list[Span] = []
    for span in spans:
        if found:
            last = found[-1]
            both = Span(max(last.start, span.start), min(last.end, span.end))
            ends = {last.start, last.end, span.start, span.end}
            if both.start < both.end and ends == {-EVER_US, EVER_US, both.start, both.end}:
                found[-1] = both
                continue
        found.append(span)
    return found


def _from_to(first: Found, last: Found, now: datetime) -> Span:
    start, end = first.span.start, last.span.end
    if start < end:
        return Span(min(start, last.span.start), end)
    if not NAMES.isdisjoint(WORD.findall(first.words.casefold())):
        # "from November to February": the November before
        offset = to_integers(now)[1]
        for again in single_dates(first.words, from_integers(last.span.start, offset), "in"):
            if again.span.start < end:
                return Span(again.span.start, end)
    return Span(last.span.start, first.span.end)


def _bounded(one: _Mention) -> Span:
    span = one.found.span
    fade = span.end - span.start
    if one.lead == "before":
        # What happened before a day is often told on that day.
        if one.counted_us:
            return Span(span.start - one.counted_us, span.end)
        return Span(-EVER_US, span.end if one.inclusive else span.start, fade)
    if one.lead == "after":
        if one.counted_us:
            return Span(span.start, span.end + one.counted_us)
        return Span(span.start if one.inclusive else span.end, EVER_US, fade)
    if one.lead == "since" or one.onwards:
        return Span(span.start, EVER_US, fade)
    if one.backwards or (one.lead in UNTIL and not one.joined):
        return Span(-EVER_US, span.end, fade)
    return span
