"""A text split at the words that relate dates, with a complete date in each part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from r3mem_agents.analysis.dates.single import MONTHS

BACKWARDS = "backwards"
"""After a date: up to its last moment."""

JOINING = frozenset(("and", "or", "to", "until", "till", "through", "thru"))

_MONTH = rf"\b(?:{'|'.join(MONTHS)})\b\.?"
_DAY = r"\b\d{1,2}(?:st|nd|rd|th)?\b"
_YEAR = r"\b(?:1[5-9]|2[01])\d\d\b"
_DASH = r"\s*[-\u2013\u2014]\s*"

# Patterns are compiled when a question first needs them: most have no date.
_RELATION = (
    r"(?i)\b(before|after|since|until|till|up\s+to|through|thru|by|from|between|and|or|to)\b"
)

_COUNT = r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d{1,3})"
_UNIT = r"(?:day|week|month|year)s?"
_RECENT = r"(?:(?:in|over|during|within|for)\s+)?(?:the\s+|this\s+)?"
_STOPS = r"(?=\s*(?:[,.;]|$))"

# Phrases that mean the same as shorter ones, in order.
_WORDED = (
    # dateparser's search skips "a", and texts are split at "before".
    (r"(?:the\s+)?day\s+before\s+yesterday\b", "two days ago"),
    (rf"{_RECENT}(?:last|past)\s+couple\s+(?:of\s+)?({_UNIT})\b", r"since two \1 ago"),
    (rf"{_RECENT}(?:last|past)\s+({_COUNT}\s+{_UNIT})\b", r"since \1 ago"),
    (
        r"(?:(?:in|over|during|within)\s+)?(?:the|this)\s+past\s+(week|month|year)\b",
        r"since a \1 ago",
    ),
    (rf"(?:more\s+than|over)\s+(?={_COUNT}\s+{_UNIT}\s+ago\b)", "before "),
    (rf"less\s+than\s+(?={_COUNT}\s+{_UNIT}\s+ago\b)", "since "),
    (r"an?\s+(day|week|month|year)\s+ago\b", r"one \1 ago"),
    (r"(until|till|to|between\b.{1,60}?\band)\s+(?:now|(?:the\s+)?present)\b", r"\1 today"),
    (r"(?:not?\s+later\s+than|not\s+after|up\s+until|before\s+the\s+end\s+of)\b", "until"),
    (r"(?:not?\s+earlier\s+than|not\s+before|as\s+of)\b", "since"),
    (r"(?:starting|beginning)\s+(?:from|on|in|with)\b", "since"),
    (r"(?:prior\s+to|earlier\s+than)\b", "before"),
    (r"later\s+than\b", "after"),
    (
        r"(?:at\s+)?(?:the\s+)?(?:(?:end|beginning|start|middle)\s+of\s+|mid[-\s]\s*)"
        rf"(?=(?:{'|'.join(MONTHS)})\b)",
        "in ",
    ),
    (rf"(?:and|or)\s+(?:earlier|before){_STOPS}", BACKWARDS),
    (rf"(?:and|or)\s+(?:later|after(?:wards?)?|onwards?){_STOPS}", "onwards"),
)

# "3-5 May", "May 3-5", "May 3 - June 2", "May-July", "2021-2023".
_DASHED = (
    rf"(?<!-)({_DAY}){_DASH}({_DAY})(?=\s+(?:of\s+)?{_MONTH})",
    rf"({_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?){_DASH}(?={_DAY}|{_MONTH})",
    rf"({_DAY}\s+{_MONTH}(?:\s+{_YEAR})?){_DASH}(?={_DAY}\s+{_MONTH})",
    rf"({_MONTH}(?:\s+{_YEAR})?){_DASH}(?={_MONTH})",
    rf"(?<!-)({_YEAR}){_DASH}(?={_YEAR}(?!-))",
)

_DATE = (
    rf"(?:(?P<d1>{_DAY})\s+(?:of\s+)?(?P<m1>{_MONTH})|(?P<m2>{_MONTH})(?:\s+(?P<d2>{_DAY}))?"
    rf"|(?P<d3>{_DAY}))(?:,?\s+(?P<y>{_YEAR}))?"
)
_LAST = rf"(?i)(?<![-./:\d]){_DATE}[\s,]*$"
_FIRST = rf"(?i)(?P<fill>\s*(?:(?:on|in|the)\s+)*){_DATE}(?![-./:]?\w)"


class Phrase(NamedTuple):
    """Part of a text.

    Attributes:
        lead: The relating word before it, in lower case; empty for the first part.
        text: The part.
    """

    lead: str
    text: str


def phrases(text: str) -> list[Phrase]:
    """Split a text at the words that relate dates.

    Of two joined dates, one may omit what the other states: "from 3 to 5 May", "May 3 and May 5,
    2023", "May 2023 and June". It is added to the one that omits it.

    Args:
        text: A short text in English.
    """
    for pattern, words in _WORDED:
        text = re.sub(rf"(?i)\b{pattern}", words, text)
    text = re.sub(rf"(?i){_DASHED[0]}", r"\1 to \2", text)
    for pattern in _DASHED[1:]:
        text = re.sub(rf"(?i){pattern}", r"\1 to ", text)
    pieces = re.split(_RELATION, text)
    parts = [Phrase("", pieces[0])]
    for lead, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        parts.append(Phrase(" ".join(lead.lower().split()), piece))
    for number in range(1, len(parts)):
        if parts[number].lead in JOINING:
            parts[number - 1 : number + 1] = _completed(parts[number - 1], parts[number])
    return parts


def _completed(one: Phrase, other: Phrase) -> tuple[Phrase, Phrase]:
    last, first = re.search(_LAST, one.text), re.match(_FIRST, other.text)
    if not last or not first:
        return one, other
    before, after = one.text[: last.start()], other.text[first.end() :]
    mine, theirs = _fields(last), _fields(first)
    alone = theirs.keys() == {"day"} and after.strip(" ,;.")  # "May 3 and 5 people"
    if alone or not _carry(mine, theirs):
        return one, other
    return (
        one._replace(text=before + _written(mine)),
        other._replace(text=first["fill"] + _written(theirs) + after),
    )


def _carry(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    # Give each date what only the other one states; whether both are dates then.
    for one, other in ((mine, theirs), (theirs, mine)):
        if "month" not in one:
            if "month" not in other or "day" not in other:
                return False
            one["month"] = other["month"]
    over = _number(mine["month"]) > _number(theirs["month"])  # "from November to February 2023"
    if "year" not in mine and "year" in theirs:
        mine["year"] = str(int(theirs["year"]) - over)
    elif "year" not in theirs and "year" in mine:
        theirs["year"] = str(int(mine["year"]) + over)
    return True


def _number(month: str) -> int:
    return [name[:3] for name in MONTHS].index(month[:3].lower())


def _fields(found: re.Match[str]) -> dict[str, str]:
    fields = {
        "day": found["d1"] or found["d2"] or found["d3"],
        "month": found["m1"] or found["m2"],
        "year": found["y"],
    }
    return {name: value for name, value in fields.items() if value}


def _written(date: Mapping[str, str]) -> str:
    return " ".join(date[name] for name in ("day", "month", "year") if name in date)
