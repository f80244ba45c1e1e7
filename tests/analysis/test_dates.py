"""The times that questions name, with ``now`` on Sunday, 22 October 2023."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r3mem_agents.analysis.dates.single import SIGNS, WORD
from r3mem_agents.analysis.dates.spans import find_dates
from r3mem_agents.timestamps import EVER_US, Span, from_integers, to_integers
from tests.new_process import run

NOW = datetime(2023, 10, 22, 9, 55, tzinfo=UTC)


def us(year: int, month: int, day: int) -> int:
    return to_integers(datetime(year, month, day, tzinfo=UTC))[0]


TURNS = Span(us(2022, 1, 3), us(2023, 10, 21))
DAY, YEAR_2022 = Span(us(2023, 5, 7), us(2023, 5, 8)), Span(us(2022, 1, 1), us(2023, 1, 1))
MAY = Span(us(2023, 5, 1), us(2023, 6, 1))


@pytest.mark.parametrize(
    ("question", "span"),
    [
        ("Where was Anna in May?", MAY),
        ("Where was Anna in May 2023?", MAY),
        ("What did Anna paint on 7 May 2023?", DAY),
        ("What did Anna paint on May 7, 2023?", DAY),
        ("What did Anna paint on the 7th of May?", DAY),
        ("What did Anna paint on 2023-05-07?", DAY),
        ("What did Anna paint on 7 May 2023 at 10:30?", DAY),
        ("Did Anna paint yesterday?", Span(us(2023, 10, 21), us(2023, 10, 22))),
        ("Did Anna paint today?", Span(us(2023, 10, 22), us(2023, 10, 23))),
        ("Did Anna paint on Friday?", Span(us(2023, 10, 20), us(2023, 10, 21))),
        ("Did Anna paint last week?", Span(us(2023, 10, 9), us(2023, 10, 16))),
        ("Did Anna paint a month ago?", Span(us(2023, 9, 1), us(2023, 10, 1))),
        ("Did Anna paint two years ago?", Span(us(2021, 1, 1), us(2022, 1, 1))),
        ("What did Anna paint in 2022?", YEAR_2022),
        ("What did Anna paint in summer 2022?", YEAR_2022),
        (
            "What did Anna paint the week before August 3, 2023?",
            Span(us(2023, 7, 27), us(2023, 8, 4)),
        ),
    ],
)
def test_what_a_question_names(question: str, span: Span) -> None:
    assert find_dates(question, NOW, TURNS).spans == (span,)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "What did we do?",
        "May I ask who Sat down?",
        "Did May and April go to the zoo?",
        "Who will march in the parade, and does the sun set?",
        "Is Cyberpunk 2077 out?",
        "Who paid invoice 9317, or order 1683417600?",
        "Which of the 42 people came in 10 minutes?",
        "How long has she had her dog, 3 years?",
        "Where does LX1842 leave at 07:35?",
        "What was played in the 90s?",
        "Where does Anna live now, on day 3?",
        "What is 1.5?",
        "What was on 2024-02-30?",
        "Did she come before or after lunch, from home to work?",
        "Is it from May, or by April?",
        "Who is the sister of May?",
        "What is the past, and now what?",
        "How many weeks before the wedding?",
    ],
)
def test_what_is_no_date(question: str) -> None:
    found = find_dates(question, NOW, TURNS)
    assert (found.spans, found.words) == ((), "")


DAY_US = 86_400_000_000


def days(month: int, first: int, last: int | None = None) -> Span:
    return Span(us(2023, month, first), us(2023, month, last or first) + DAY_US)


BEFORE_MAY = Span(-EVER_US, us(2023, 5, 1), 31 * DAY_US)
AFTER_5_MAY = Span(us(2023, 5, 6), EVER_US, DAY_US)
SINCE_MAY = Span(us(2023, 5, 1), EVER_US, 31 * DAY_US)
UNTIL_MAY = Span(-EVER_US, us(2023, 6, 1), 31 * DAY_US)
JUNE = Span(us(2023, 6, 1), us(2023, 7, 1))
TO_JUNE = Span(us(2023, 5, 1), us(2023, 7, 1))
WINTER = Span(us(2022, 11, 1), us(2023, 3, 1))
TWO_YEARS = Span(us(2022, 1, 1), us(2024, 1, 1))


@pytest.mark.parametrize(
    ("when", "spans"),
    [
        ("before May 2023", [BEFORE_MAY]),
        ("before May", [BEFORE_MAY]),
        ("prior to May 2023", [BEFORE_MAY]),
        ("after 5 May 2023", [AFTER_5_MAY]),
        ("after May 5, 2023", [AFTER_5_MAY]),
        ("after the 5th of May", [AFTER_5_MAY]),
        ("on or after 6 May 2023", [AFTER_5_MAY]),
        ("since May 2023", [SINCE_MAY]),
        ("since May", [SINCE_MAY]),
        ("from May 2023 onwards", [SINCE_MAY]),
        ("until May 2023", [UNTIL_MAY]),
        ("up to May 2023", [UNTIL_MAY]),
        ("by May 2023", [UNTIL_MAY]),
        ("since yesterday", [Span(us(2023, 10, 21), EVER_US, DAY_US)]),
        ("before last week", [Span(-EVER_US, us(2023, 10, 9), 7 * DAY_US)]),
        ("between May 3 and May 5, 2023", [days(5, 3, 5)]),
        ("between 3 May 2023 and 5 May 2023", [days(5, 3, 5)]),
        ("between 3 and 5 May", [days(5, 3, 5)]),
        ("from 3 to 5 May 2023", [days(5, 3, 5)]),
        ("from the 3rd until the 5th of May 2023", [days(5, 3, 5)]),
        ("from 2023-05-03 to 2023-05-05", [days(5, 3, 5)]),
        ("from May 3 through 5, 2023", [days(5, 3, 5)]),
        ("on May 3-5, 2023", [days(5, 3, 5)]),
        ("on 3\u20135 May 2023", [days(5, 3, 5)]),
        ("from May to June", [TO_JUNE]),
        ("from May to June 2023", [TO_JUNE]),
        ("May-June 2023", [TO_JUNE]),
        ("between May 2023 and June", [TO_JUNE]),
        ("from November to February 2023", [WINTER]),
        ("from November to February", [WINTER]),
        ("between Friday and yesterday", [days(10, 20, 21)]),
        ("from Thursday to Friday", [days(10, 19, 20)]),
        ("2022-2023", [TWO_YEARS]),
        ("from 2022 to 2023", [TWO_YEARS]),
        ("on May 3, 2023 and May 5, 2023", [days(5, 3), days(5, 5)]),
        ("on May 3 and May 5, 2023", [days(5, 3), days(5, 5)]),
        ("on May 3 and 5, 2023", [days(5, 3), days(5, 5)]),
        ("on 3 and 5 May 2023", [days(5, 3), days(5, 5)]),
        ("in May 2023 and June", [MAY, JUNE]),
        ("in May and June 2023", [MAY, JUNE]),
        ("in May and June", [MAY, JUNE]),
        ("in May or June", [MAY, JUNE]),
        (
            "in December and January 2023",
            [
                Span(us(2022, 12, 1), us(2023, 1, 1)),
                Span(us(2023, 1, 1), us(2023, 2, 1)),
            ],
        ),
        ("on Thursday and Friday", [days(10, 19), days(10, 20)]),
        ("the day before yesterday", [days(10, 20)]),
        ("two weeks after 5 May 2023", [days(5, 5, 19)]),
        ("prior to May", [BEFORE_MAY]),
        ("earlier than May 2023", [BEFORE_MAY]),
        ("later than 5 May 2023", [AFTER_5_MAY]),
        ("no later than May 2023", [UNTIL_MAY]),
        ("up until May", [UNTIL_MAY]),
        ("in May 2023 or earlier", [UNTIL_MAY]),
        ("in May and before", [UNTIL_MAY]),
        ("in May 2023 and later", [SINCE_MAY]),
        ("in May or after", [SINCE_MAY]),
        ("from May on", [SINCE_MAY]),
        ("from May onwards", [SINCE_MAY]),
        ("no earlier than May", [SINCE_MAY]),
        ("not before May", [SINCE_MAY]),
        ("starting in May", [SINCE_MAY]),
        ("starting from May 2023", [SINCE_MAY]),
        ("as of May 2023", [SINCE_MAY]),
        ("since the beginning of May", [SINCE_MAY]),
        ("by the end of May", [UNTIL_MAY]),
        ("before the end of May", [UNTIL_MAY]),
        ("at the end of May", [MAY]),
        ("in mid May", [MAY]),
        ("from 21 October until now", [days(10, 21, 22)]),
        ("between 21 October 2023 and now", [days(10, 21, 22)]),
        ("21 October 2023 to the present", [days(10, 21, 22)]),
        ("after 5 May but before 9 May 2023", [days(5, 6, 8)]),
        ("after May 5 and before May 9", [days(5, 6, 8)]),
        ("before 9 May 2023 and since 6 May 2023", [days(5, 6, 8)]),
        ("since 6 May, until 8 May 2023", [days(5, 6, 8)]),
        ("from Saturday to Wednesday", [days(10, 14, 18)]),
        ("from Sunday through Tuesday", [days(10, 15, 17)]),
        ("between yesterday and Friday", [days(10, 20, 21)]),
        ("from May 5, 2023 to May 3, 2023", [days(5, 3, 5)]),
        ("in the two weeks before May 5, 2023", [Span(us(2023, 4, 21), us(2023, 5, 6))]),
        ("in the last three days", [Span(us(2023, 10, 19), EVER_US, DAY_US)]),
        ("within the last 10 days", [Span(us(2023, 10, 12), EVER_US, DAY_US)]),
        ("over the past two weeks", [Span(us(2023, 10, 2), EVER_US, 7 * DAY_US)]),
        ("in the past month", [Span(us(2023, 9, 1), EVER_US, 30 * DAY_US)]),
        ("in the last couple of days", [Span(us(2023, 10, 20), EVER_US, DAY_US)]),
        ("more than a month ago", [Span(-EVER_US, us(2023, 9, 1), 30 * DAY_US)]),
        ("less than two weeks ago", [Span(us(2023, 10, 2), EVER_US, 7 * DAY_US)]),
        ("at 5 pm yesterday", [days(10, 21)]),
        ("yesterday at 17:00", [days(10, 21)]),
        ("in May on a boat", [MAY]),
        ("in May with Bob and June", [MAY]),
        ("in May after lunch", [MAY]),
        ("on 7 May 2023 from home to work", [DAY]),
    ],
)
def test_words_around_dates_make_spans(when: str, spans: list[Span]) -> None:
    assert list(find_dates(f"Where was Anna {when}?", NOW, TURNS).spans) == spans
    first = f"{when[:1].upper()}{when[1:]}, where was Anna?"
    assert list(find_dates(first, NOW, TURNS).spans) == spans


def test_the_words_of_a_date_and_the_others_are_told_apart() -> None:
    found = find_dates("Who painted Rome between 3 and 5 May 2023?", NOW, TURNS)
    assert found.words == "3 May 2023 5 May 2023"
    assert found.rest.split() == ["Who", "painted", "Rome"]


def test_days_begin_at_midnight_where_now_is() -> None:
    now = datetime(2023, 10, 22, 1, tzinfo=timezone(timedelta(hours=9)))  # the 21st in UTC
    span = find_dates("Did Anna paint today?", now, TURNS).spans[0]
    assert from_integers(span.start, 32_400) == now.replace(hour=0)
    assert span.end - span.start == 86_400_000_000


@given(
    day=st.dates(date(1990, 1, 1), date(2080, 12, 31)),
    question=st.sampled_from(["What did Anna paint on {}?", "On {} who was there?", "{}"]),
)
@settings(max_examples=50)
def test_a_written_date_is_found(day: date, question: str) -> None:
    start = us(day.year, day.month, day.day)
    found = find_dates(question.format(f"{day:%d %B %Y}"), NOW, Span(start, start))
    assert found.spans == (Span(start, start + 86_400_000_000),)


WORDS = st.sampled_from(
    [
        "in",
        "on",
        "last",
        "may",
        "3",
        "31",
        "2023",
        "99999",
        "week",
        "ago",
        "one",
        "a",
        "sun",
        "at",
        "10:30",
        "-1",
        "31/12/9999",
        "tomorrow",
        "year",
        "day",
        "(",
        "?",
    ]
)


@given(
    text=st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join)),
    now=st.datetimes(timezones=st.just(UTC)),
)
@settings(max_examples=80)
def test_no_text_raises(text: str, now: datetime) -> None:
    for span in find_dates(text, now, Span(-(10**18), 10**18)).spans:
        assert span.start < span.end


def test_of_a_long_text_the_beginning_is_searched() -> None:
    long = "7 May 2023 " + "x " * 50_000 + "8 May 2023 " * 10_000
    found = find_dates(long, NOW, TURNS)
    assert (found.spans, found.words) == ((DAY,), "7 May 2023")


def test_dateparser_is_loaded_for_dates_alone() -> None:
    code = (
        "import sys; from r3mem_agents.analysis.dates.spans import find_dates\n"
        "from r3mem_agents.timestamps import Span\n"
        "for question in ('What is the dog called?', 'Who came yesterday?'):\n"
        "    find_dates(question, None, Span(0, 1)); print('dateparser' in sys.modules)"
    )
    assert run(code).split() == ["False", "True"]


def test_dateparsers_own_phrases_have_a_sign() -> None:
    from dateparser.data.date_translation_data.en import info

    own: dict[str, Any] = info
    phrases = [phrase for some in own["relative-type"].values() for phrase in some]
    # Of these times are no dates here, or dateparser gives them no period that is theirs.
    ignored = {"hour", "minute", "now", "till", "mo", "century", "decade", "fortnight"}
    for phrase in phrases:
        words = set(WORD.findall(phrase))
        assert words & SIGNS or words & ignored, phrase
