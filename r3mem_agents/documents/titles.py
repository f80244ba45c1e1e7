"""The titles above a place in a document."""

from __future__ import annotations

MAX_CHARACTERS = 200
"""Characters of a title that are kept; chosen. A paragraph above dashes is a heading too."""


class Titles:
    """Titles by level: one of a level ends those of its level and below."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def add(self, level: int, title: str) -> None:
        """Add the next title of a document.

        Args:
            level: 1 for the highest.
            title: What it says, of which the beginning is kept; an empty one only ends others.
        """
        self._open = [one for one in self._open if one[0] < level]
        flat = " ".join(title.split())[:MAX_CHARACTERS].rstrip()
        if flat:
            self._open.append((level, flat))

    @property
    def path(self) -> tuple[str, ...]:
        """The titles above what comes next, outermost first."""
        return tuple(title for _, title in self._open)
