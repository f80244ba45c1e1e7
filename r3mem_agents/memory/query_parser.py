"""What a question asks for: words, times, speakers; or nothing but whatever was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from r3mem_agents.analysis.dates.foreign import talk_words
from r3mem_agents.analysis.dates.single import WORD
from r3mem_agents.analysis.dates.spans import Dates, find_dates
from r3mem_agents.analysis.languages import told_languages
from r3mem_agents.analysis.person_and_tense import past, personal
from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.lookup.index import Snapshot, Speaker
from r3mem_agents.lookup.postings import said_in
from r3mem_agents.lookup.question import Question, speakers_named
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.term_hashes import (
    AskedWord,
    asked_words,
    hashed_terms,
    hashed_words,
    listed,
    settled,
    spoken,
)

TALK = frozenset(
    """
    happen happened going say says said tell told talk talked speak spoke spoken discuss discussed
    mention mentioned chat conversation remember recall know show give list find get everything
    anything something thing things all message messages turn word write wrote written send sent
    ask asked answer reply please ever last latest recent recently new newest lately far
    myself yourself ourselves history summary summarize summarise recap remind quote
    """.split()  # noqa: SIM905 - as for stop words
)
"""Words with which a question asks for whatever was said."""

THOUGHT = frozenset("think thinks thought thoughts opinion opinions view views feel feels".split())  # noqa: SIM905
"""The same, of a speaker who is named."""

ABOUT_US = frozenset(
    "what who whom whose which where when me my mine myself we us our ours ourselves".split()  # noqa: SIM905
)
"""One of these tells a question for whatever was said, if it names nobody and no time, from "And
then?", "Why not?" and "How are you?"."""

ASKING = TALK.union(
    """
    since till prior early late day days night week weekend month year date onwards backwards
    """.split()  # noqa: SIM905
)
"""The same, at a time."""


def read(query: str, now: datetime | None, turns: Snapshot, obfuscator: Obfuscator) -> Question:
    """Read a question, as the turns and speakers that there are explain it.

    Args:
        query: The question.
        now: What dates in it are relative to; see ``find_dates``.
        turns: What is known.
        obfuscator: Hashes terms as the turns' are.
    """
    dates = find_dates(query, now, turns.span)
    asked = words_asked(query, turns, obfuscator)
    every = frozenset[int]().union(*(word.terms for word in asked))
    said = said_in(turns.postings, every, turns.silent)
    timely = hashed_terms(obfuscator, dates.words)
    # "May" in "What did Will say in May?" is no speaker.
    named = speakers_named(turns.speakers, every - timely) | _called(turns.speakers, query)
    names = frozenset[int]().union(*(turns.speakers[one].matched(every) for one in named))
    if not _asks_for_all(query, dates, names, bool(named), obfuscator):
        return Question(
            terms=(terms := settled(asked, said)),
            timely=timely,
            spans=dates.spans,
            named=named,
            vague=terms <= timely | listed(obfuscator, ASKING),
            personal=personal(query),
            past=past(query),
            forms={
                term: one for word in asked for term, one in word.forms.items() if term in terms
            },
            halves=frozenset[int]().union(*(word.halves for word in asked)),
        )
    return Question(every & (names | timely), timely, dates.spans, named, open=True, vague=True)


def words_asked(query: str, turns: Snapshot, obfuscator: Obfuscator) -> list[AskedWord]:
    """The words of a question, as turns may say them in the languages that they are in."""
    languages = spoken(obfuscator)
    said = said_in(turns.postings, languages, turns.silent)
    return asked_words(obfuscator, query, [languages[term] for term in languages if term in said])


def _called(speakers: Sequence[Speaker], query: str) -> frozenset[int]:
    # Names that are stop words, "Can" or "An", count where they are written as names, and not
    # first: "What did Can say?"
    return frozenset(
        number
        for number, one in enumerate(speakers)
        if one.name and not one.spellings and re.search(rf"\w\W+{re.escape(one.name)}(?!\w)", query)
    )


def _asks_for_all(
    query: str, dates: Dates, names: frozenset[int], named: bool, obfuscator: Obfuscator
) -> bool:
    # Whether nothing is left of a question without its dates, names, and the words that ask.
    bounded = bool(dates.spans) or named
    asking = (ASKING if dates.spans else TALK) | (THOUGHT if named else frozenset())
    told = told_languages(uniform(query))
    known = names | listed(obfuscator, asking | talk_words(told))
    rest = hashed_words(obfuscator, dates.rest, told)
    asks = all(any(one <= known for one in word) for word in rest)
    return asks and (bounded or not ABOUT_US.isdisjoint(WORD.findall(query.casefold())))
