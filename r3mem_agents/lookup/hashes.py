"""Hashed terms as a lookup knows them: integers of so many bits."""

from __future__ import annotations

TERM_BITS = 24
"""With 30,000 terms, one query term in 560 meets a stranger's postings."""

PREFIX_BITS = 12
OPEN_BITS = TERM_BITS - PREFIX_BITS
"""Of the hash of a term with a prefix, so many bits are those of the prefix, and so many are left.
One word in 4,096 meets a stranger's forms, which count less than words (docs/LOG.md, "words of
other languages")."""
