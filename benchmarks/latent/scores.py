"""Exact match and F1 of answers, as SQuAD counts them (Rajpurkar et al., arXiv 1606.05250)."""

from __future__ import annotations

import re
import string
from collections import Counter

ARTICLES = re.compile(r"\b(?:a|an|the)\b")
MARKS = str.maketrans("", "", string.punctuation)


def words(text: str) -> list[str]:
    """The words that count: lower case, without punctuation and articles."""
    return ARTICLES.sub(" ", text.lower().translate(MARKS)).split()


def exact(said: str, answer: str) -> float:
    """1 if both have the same words, else 0."""
    return float(words(said) == words(answer))


def f1(said: str, answer: str) -> float:
    """The harmonic mean of the shares of words that both have."""
    ours, theirs = words(said), words(answer)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs)) if shared else 0.0
