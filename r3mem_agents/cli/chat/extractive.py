"""Answers without a language model: they quote what memory recalled, and say so.

No framework is involved: a prompt goes in as text, and an answer comes out as text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from r3mem_agents.prompts import INDENT, unindented

TURN = re.compile(
    r"^\[(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d)\] "
    r'(?P<speaker>(?:"(?:[^"\\\n]|\\.)*"|[^":\n])+): '
    rf"(?P<text>[^\n]*(?:\n{INDENT}[^\n]*)*)",
    re.MULTILINE,
)
COMMON = frozenset(
    ("a", "and", "at", "did", "do", "does", "has", "have", "i", "in", "is", "me", "my", "of", "on")
    + ("the", "there", "to", "was", "what", "when", "where", "which", "who", "why", "you")
)
QUOTED = "Quoting memory, no model is at work."


class Recalled(NamedTuple):
    """One recalled turn, as it stands in the prompt."""

    time: str
    speaker: str
    text: str


def recalled_turns(prompt: str) -> list[Recalled]:
    """Return the turns that memory put into a prompt: ``[2026-11-20 14:03] Alice (user): text``."""
    return [
        Recalled(match["time"], match["speaker"], unindented(match["text"]))
        for match in TURN.finditer(prompt)
    ]


def answer(question: str, prompt: str) -> str:
    """Quote the recalled turn that shares most words with a question; acknowledge the rest."""
    if not question.rstrip().endswith("?"):
        return f"Noted. ({QUOTED})"
    asked = _words(question)
    told = [
        turn
        for turn in recalled_turns(prompt)
        if not turn.text.endswith("?") and QUOTED not in turn.text
    ]
    best = max(told, key=lambda turn: len(asked & _words(turn.text)), default=None)
    if best is None or not asked & _words(best.text):
        return f"Memory recalled nothing that helps. ({QUOTED})"
    return f'On {best.time[:10]}, {best.speaker}: "{best.text}" ({QUOTED})'


def _words(text: str) -> set[str]:
    # Crude stems, enough to match "called" and "call".
    words = re.findall(r"\w+", text.lower())
    return {word[:5] for word in words if word not in COMMON}
