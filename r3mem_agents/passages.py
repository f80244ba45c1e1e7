"""Turns that are passages of documents: where one stands, and what it is found by beside its text.

A passage has the role ``document``, its document's name as its session, and as metadata
``passage``, its number in the document; as far as they are known ``page`` and ``line``, which begin
at 1; and ``headings``, the titles above it, outermost first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ROLE = "document"
"""The role of a passage."""

PASSAGE, PAGE, LINE, HEADINGS = "passage", "page", "line", "headings"


def is_passage(role: str, metadata: Mapping[str, Any]) -> bool:
    """Tell whether a turn is a passage.

    Args:
        role: The turn's role.
        metadata: The turn's metadata.
    """
    return role == ROLE and isinstance(metadata.get(PASSAGE), int)


def place(role: str, session: str, metadata: Mapping[str, Any]) -> str | None:
    """Say where a passage stands: ``notes.pdf, page 3, Heading > Subheading``.

    Args:
        role: The turn's role.
        session: The turn's session.
        metadata: The turn's metadata.

    Returns:
        The place; ``None`` of a turn that is no passage.
    """
    if not is_passage(role, metadata):
        return None
    numbers = [f"{what} {metadata[what]}" for what in (PAGE, LINE) if what in metadata]
    above = " > ".join(_headings(metadata))
    return ", ".join([_short(session), *numbers, *([above] if above else [])])


def found_by(role: str, session: str, metadata: Mapping[str, Any]) -> str:
    """Return the words beside its text that a passage is found by: its headings and its document.

    Args:
        role: The turn's role.
        session: The turn's session.
        metadata: The turn's metadata.

    Returns:
        The words; none of a turn that is no passage.
    """
    if not is_passage(role, metadata):
        return ""
    return "\n".join([re.sub(r"\.\w+$", "", _short(session)), *_headings(metadata)])


def _headings(metadata: Mapping[str, Any]) -> list[str]:
    titles = metadata.get(HEADINGS)
    return [" ".join(str(one).split()) for one in titles] if isinstance(titles, list) else []


def _short(name: str) -> str:
    """A document's name without its folders."""
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1] or name
