"""The width of hashed terms, which a lookup handles as integers."""

from __future__ import annotations

TERM_BITS = 24
"""Bits of a hashed term. With 30,000 terms, one query term in 560 collides with another."""

PREFIX_BITS = 12
OPEN_BITS = TERM_BITS - PREFIX_BITS
"""Bits of a prefixed term's hash that its prefix determines, and bits that are left. One word in
4,096 collides with another's forms, which count less than words (docs/LOG.md, "words of other
languages")."""
