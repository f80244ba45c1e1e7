"""From a text to what a memory finds it by: terms, times, and what a question asks for.

Texts in, texts and integers out: no store, no secret, no arrays of a memory.
"""
