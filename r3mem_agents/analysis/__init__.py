"""Text analysis: the terms, times and requests that lookups are made of.

Texts in, texts and integers out: no store, no secret, no arrays of a memory.
"""
