"""Parsing of a question into the integers that a lookup takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from r3mem_agents.analysis.dates.spans import Dates, find_dates
from r3mem_agents.analysis.languages import told_languages
from r3mem_agents.analysis.open_questions import ASKING, about_us, asking_words
from r3mem_agents.analysis.person_and_tense import past, personal
from r3mem_agents.analysis.spelling import uniform
from r3mem_agents.forking import unforked
from r3mem_agents.lookup.postings import said_in
from r3mem_agents.lookup.question import Question, searched_terms, speakers_named
from r3mem_agents.memory.obfuscation import Obfuscator
from r3mem_agents.memory.query_words import AskedWord, words_asked
from r3mem_agents.memory.scope_index import ScopeSnapshot
from r3mem_agents.memory.term_hashes import hashed_terms, hashed_words, listed


class ParsedQuery(NamedTuple):
    """A question, as integers and as words.

    Attributes:
        question: The question as a lookup takes it.
        words: The words behind its terms.
    """

    question: Question
    words: tuple[AskedWord, ...]


def parse(
    query: str, now: datetime | None, scope: ScopeSnapshot, obfuscator: Obfuscator
) -> ParsedQuery:
    """Parse a question, given the turns and speakers of its scope.

    Args:
        query: The question.
        now: The time that dates in it are relative to; see ``find_dates``.
        scope: The turns and speakers.
        obfuscator: Hashes terms as those of the turns are hashed.
    """
    turns = scope.turns
    with unforked():  # dateparser and regex have locks
        dates = find_dates(query, now, turns.span)
    asked = tuple(words_asked(obfuscator, query, turns))
    words = [one.word for one in asked]
    every = frozenset[int]().union(*(word.terms for word in words))
    timely = hashed_terms(obfuscator, dates.words)
    # "May" in "What did Will say in May?" is not a speaker.
    named = speakers_named(turns.speakers, every - timely).union(_called(scope, query))
    names = frozenset[int]().union(*(turns.speakers[one].matched(every) for one in named))
    if _asks_for_all(query, dates, names, bool(named), obfuscator):
        terms = every & (names | timely)
        return ParsedQuery(
            Question(terms, timely, dates.spans, named, open=True, vague=True), asked
        )
    terms = searched_terms(words, said_in(turns.postings, every, turns.silent))
    question = Question(
        terms=terms,
        timely=timely,
        spans=dates.spans,
        named=named,
        vague=terms <= timely | listed(obfuscator, ASKING),
        personal=personal(query),
        past=past(query),
        forms={term: one for word in words for term, one in word.forms.items() if term in terms},
        halves=frozenset[int]().union(*(word.halves for word in words)),
    )
    return ParsedQuery(question, asked)


def _called(scope: ScopeSnapshot, query: str) -> Iterator[int]:
    # Names that are stop words, such as "Can" or "An", count where they are capitalized and not the
    # first word: "What did Can say?"
    for number, speaker in enumerate(scope.turns.speakers):
        name = None if speaker.spellings else scope.speaker(number).name
        if name and re.search(rf"\w\W+{re.escape(name)}(?!\w)", query):
            yield number


def _asks_for_all(
    query: str, dates: Dates, names: frozenset[int], named: bool, obfuscator: Obfuscator
) -> bool:
    # Whether a question has nothing but dates, names, and words that ask.
    told = told_languages(uniform(query))
    asking = asking_words(told, dated=bool(dates.spans), named=named)
    left_out = names | listed(obfuscator, asking)
    rest = hashed_words(obfuscator, dates.rest, told)
    asks = all(any(one <= left_out for one in word) for word in rest)
    return asks and (bool(dates.spans) or named or about_us(query))
