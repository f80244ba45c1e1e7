"""Whether a passage says what an answer says, wherever the document was cut."""

from __future__ import annotations

import re
from collections.abc import Iterable

WORD = re.compile(r"\w+")

RUN = 5
"""Words in a row that are compared; chosen."""

SHARE = 0.5
"""Share of the shorter of the two that both must say; chosen."""

Runs = frozenset[tuple[str, ...]]
"""All runs of so many words; a shorter text is one run."""


def runs(texts: Iterable[str]) -> Runs:
    """Return the runs of words of some texts; none goes from one text to the next."""
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = WORD.findall(text.casefold())
        size = min(RUN, len(words))
        found |= {tuple(words[at : at + size]) for at in range(len(words) - size + 1) if size}
    return frozenset(found)


def overlap(passage: Runs, answer: Runs) -> bool:
    """Return whether a passage holds half of the answer, or consists of it by half."""
    return len(passage & answer) >= SHARE * max(min(len(passage), len(answer)), 1)
