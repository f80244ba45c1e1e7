"""The entity level's terms: stems of words, numbers and names; stop words out."""

from __future__ import annotations

import re
import threading
import unicodedata

import Stemmer

from r3mem_agents.memory.sealing import Sealer

# Lucene's English list, the pronouns, auxiliaries and question words of the NLTK and Snowball
# lists; without "will" and "may", which are names too: their frequency makes them light enough.
STOP_WORDS = frozenset(
    """
    a about after again all also am an and any are as at be because been before being but by can
    could did do does doing down during each few for from further had has have having he her here
    hers him his how i if in into is it its just me more most my no nor not of off on once only or
    other our out over own same shall she should so some such than that the their theirs them then
    there these they this those through to too under until up us very was we were what when where
    which while who whom whose why with would you your yours
    aren't can't couldn't didn't doesn't don't hadn't hasn't haven't he'd he'll he's i'd i'll i'm
    i've isn't it'd it'll it's let's she'd she'll she's shouldn't that's there's they'd they'll
    they're they've wasn't we'd we'll we're we've weren't what's where's who's won't wouldn't
    you'd you'll you're you've
    """.split()  # noqa: SIM905 - a list of 190 literals is 190 lines
)

# Combining marks belong to the word that they stand in; re counts only letters as \w.
MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e00-\u0eff"

# Chinese and Japanese write no spaces: a run of them is cut into pairs of neighbours (the bigrams
# of Lucene's CJKAnalyzer).
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"

UNSPACED_START = re.compile(f"[{UNSPACED}]")

WORD = re.compile(rf"[{UNSPACED}]+|(?:(?![{UNSPACED}_])[\w{MARKS}])+(?:'[^\W_]+)*")

_local = threading.local()


def terms(text: str) -> list[str]:
    """Terms of a text in order, repetitions kept.

    Args:
        text: Any text.

    Returns:
        Stems; compatible forms of a character and upper and lower case count as one.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    words: list[str] = []
    for word in WORD.findall(plain):
        if UNSPACED_START.match(word):
            words.extend(word[i : i + 2] for i in range(max(1, len(word) - 1)))
        elif word not in STOP_WORDS:
            words.append(word)
    stems: list[str] = _stemmer().stemWords(words)
    return stems


def hashed_terms(sealer: Sealer, text: str) -> set[int]:
    """The distinct terms of a text, as an index holds them."""
    return {int.from_bytes(sealer.term(term)) for term in set(terms(text))}


def _stemmer() -> Stemmer.Stemmer:
    # A stemmer keeps a cache without a lock, so each thread has its own.
    if not hasattr(_local, "stemmer"):
        _local.stemmer = Stemmer.Stemmer("english")
    stemmer: Stemmer.Stemmer = _local.stemmer
    return stemmer
