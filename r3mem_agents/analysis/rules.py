"""A digest of the rules that make terms, kept beside the terms that they made."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version

from r3mem_agents.analysis.terms import indexed_terms

TERM_RULES = 7
"""Incremented with every change of spellings, words, stop words and terms."""

# Different Unicode tables, in Python or in regex, show in what they make of this text.
PROBE = (
    "Stra\u00dfe \u0130stanbul'da caf\u00e9 cafe\u0301 \u1e9e \ufb01ne \u2168 \u00bd \u0142\u00f3d "
    "\u03b1\u03cd\u03c1\u03b9\u03bf \u0439\u043e\u0433 \u05e9\u05dc\u05d5\u05b9\u05dd "
    "\u0643\u0650\u062a\u0627\u0628 \u0663\u0664 \u0939\u093f\u0928\u094d\u0926\u0940 \u0e20\u0e32 "
    "\u6771\u4eac\u90fd \u30e9\u30fc\u30e1 \ud55c\uad6d\uc5b4 \u2764\ufe0f \U0001f1e9\U0001f1ea "
    "getUserById C++ .NET 12,500 +1 (555) 123-4567 e\u2011mail so\u00adft evening organization"
)


@cache
def rules() -> bytes:
    """Return a digest of the rules by which this process makes terms.

    A stemmer is identified by its version, since no list of words shows everything it does; two
    releases that both say "Snowball 2.0.1" give different stems.
    """
    probed = [term for text in (PROBE, *PROBE.split()) for term in indexed_terms(text)]
    made = "\n".join((str(TERM_RULES), f"PyStemmer {version('PyStemmer')}", *probed))
    return hashlib.blake2b(made.encode(), digest_size=8).digest()
