"""Texts of hosts that no file could hold as they are."""

from __future__ import annotations


def mended(text: str) -> str:
    """A text as UTF-8 can hold it; most are that already.

    A model's answer that comes in pieces may have a character in two halves (surrogates): they are
    joined again. A half that is alone becomes U+FFFD. This is for adapters whose host would fail to
    store the same messages again and again.
    """
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
