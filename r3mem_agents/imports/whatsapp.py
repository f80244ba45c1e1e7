"""WhatsApp's export: a text with a date, a time and a speaker before each message.

Telephones write dates in many ways, and mark what nobody said by signs of direction.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import gt
from typing import NamedTuple

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Entry, Reading, digest
from r3mem_agents.imports.files import File
from r3mem_agents.imports.whatsapp_words import DELETED, EDITED_WITHOUT_MARK, EVENING, MORNING

MARKS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
HALVES = "|".join(map(re.escape, (*MORNING, *EVENING)))
STAMP = re.compile(
    rf"""[\u200e\u200f]*(?P<bracket>\[)?
    (?P<date>(\d{{1,4}})\u200f?[./-]\ ?(\d{{1,2}})\u200f?[./-]\ ?(\d{{1,4}}))
    \.?(?:\ г\.)?[,،]?\u200f?\s+(?:[a-zàá]+\.?\s)?(?:(?P<first>{HALVES})\s?)?
    (?P<time>(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})(?:[:.](?P<second>\d{{2}}))?)
    (?:\s?(?:(?P<half>[AaPp])\.?\s?[Mm]\.?|(?P<last>{HALVES})))?
    (?(bracket)\]|(?:\s[-–]|:))\s""",
    re.VERBOSE,
)
SPEAKER = re.compile(r"(?P<name>[^\"“”„«\n]{1,100}?): (?P<text>.*)", re.DOTALL)
MEDIA = re.compile(r"<[^<>\n]+>|null|(?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d+\.\w+ \([^()\n]+\)")
"""All that is left of a medium that was not exported, in any language."""

OMITTED = re.compile(r"<\w+(?: \w+)+>|\w+-.*")
"""Of these what may have a text below; other words in such signs may be somebody's code."""

EDITED = re.compile(r"\s*\u200e?<[^<>\n]+>\Z")
BUDDHIST = 2400
"""A later year is one of Thailand's calendar, which is 543 ahead."""

FIRST_YEAR = 1970
"""An earlier one is of a calendar that is not known here, such as Iran's."""

ORDERS = {"day first": (2, 1, 0), "month first": (2, 0, 1), "year first": (0, 1, 2)}
"""Where the year, the month and the day stand."""


class Message(NamedTuple):
    """A message.

    Attributes:
        line: Number of its first line.
        stamp: What stands before it.
        text: Its speaker and text, with the lines that continue it.
    """

    line: int
    stamp: re.Match[str]
    text: str


def recognizes(file: File) -> bool:
    """Tell whether a file begins like such an export."""
    head = file.text.lstrip("\ufeff\r\n").split("\n", 1)[0]
    return STAMP.match(head.removesuffix("\r")) is not None


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield what was said in them.

    Raises:
        InvalidInputError: A date is none, whatever is taken for the day and the month.
    """
    for file in files:
        messages = [*_messages(file.text)]
        times = _times(messages, file.name, reading)
        # In an archive the text is called _chat, and the archive as the chat.
        name = (file.folder or reading.name) if file.stem == "_chat" else file.stem
        said: Counter[tuple[str, str]] = Counter()
        for message, time in zip(messages, times, strict=True):
            found = SPEAKER.fullmatch(message.text)
            if found is None:
                reading.skip("notices")
                continue
            text = _text(found["text"], reading)
            if text is None:
                continue
            # They have no ids: a key is when it was said, by whom, what, and which of such.
            stamp = message.stamp[0].strip()
            said[stamp, message.text] += 1
            yield from reading.said(
                "user",
                text,
                key=digest(stamp, message.text, said[stamp, message.text]),
                session=f"whatsapp/{name}",
                time=time,
                name=MARKS.sub("", found["name"]).strip("~\u202f\xa0 "),
            )


def _messages(text: str) -> Iterator[Message]:
    stamp, lines, first = None, list[str](), 0
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), 1):
        line = line.removesuffix("\r")
        found = STAMP.match(line)
        if found is None:
            lines.append(line)
            continue
        if stamp is not None:
            yield Message(first, stamp, "\n".join(lines).rstrip("\n"))
        stamp, lines, first = found, [line[found.end() :]], number
    if stamp is not None:
        yield Message(first, stamp, "\n".join(lines).rstrip("\n"))


def _text(text: str, reading: Reading) -> str | None:
    head, _, below = text.partition("\n")
    left = MEDIA.fullmatch(MARKS.sub("", head))
    if head.startswith("\u200e") or (left and (not below or OMITTED.fullmatch(left[0]))):
        reading.skip("notices and media")
        # What is said of a medium, or asked in a poll, stands below.
        said = [line for line in below.split("\n") if not line.startswith("\u200e")]
        return MARKS.sub("", "\n".join(said)).strip() or None
    if MARKS.sub("", text).rstrip(".") in DELETED:
        reading.skip("deleted messages")
        return None
    text = EDITED.sub("", text) if "\u200e<" in text else EDITED_WITHOUT_MARK.sub("", text)
    return MARKS.sub("", text)


def _times(messages: Sequence[Message], file: str, reading: Reading) -> list[datetime]:
    """When they were said, in the order of day and month that fits all dates.

    Where several fit, it is the one in which time goes back least often.
    """
    fitting: dict[str, list[datetime]] = {}
    bad = messages[0]
    for name, order in ORDERS.items():
        times = []
        for message in messages:
            try:
                times.append(_time(message.stamp, order))
            except (ValueError, OverflowError):
                bad = max(bad, message, key=lambda one: one.line)
                break
        else:
            fitting[name] = times
    if not fitting:
        raise InvalidInputError(
            f"{file}, line {bad.line}: {bad.stamp['date']} {bad.stamp['time']} is not a date in "
            "the order of day and month that the lines before it have"
        )
    backward = {name: sum(map(gt, times, times[1:])) for name, times in fitting.items()}
    best = [name for name, steps in backward.items() if steps == min(backward.values())]
    halves = any(message.stamp["half"] for message in messages)
    chosen = "month first" if halves and "month first" in best else best[0]
    others = {tuple(fitting[name]) for name in best}
    if len(others) > 1:
        reading.notes.append(
            f"{file}: {messages[0].stamp['date']} is read {chosen}; no date in it tells day and "
            "month apart"
        )
    return fitting[chosen]


def _time(stamp: re.Match[str], order: tuple[int, int, int]) -> datetime:
    numbers = stamp.group(3, 4, 5)
    year, month, day = (int(numbers[place]) for place in order)
    if len(numbers[order[0]]) != 4 and (order[0] == 0 or len(numbers[order[0]]) != 2):
        raise ValueError("no year; where it comes first, it has four digits")
    hour, minute, second = (int(stamp[part] or 0) for part in ("hour", "minute", "second"))
    if half := stamp["half"] or stamp["first"] or stamp["last"]:
        if hour > 12:
            raise ValueError("no hour")
        hour = hour % 12 + 12 * (half in ("p", "P", *EVENING))
    whole = year if year > 99 else 2000 + year
    if whole > BUDDHIST:
        whole -= 543
    if whole < FIRST_YEAR:
        raise ValueError("another calendar")
    # Some clocks call midnight 24.
    return datetime(whole, month, day, hour % 24, minute, second).astimezone()
