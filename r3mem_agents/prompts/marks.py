"""Marks around what a prompt gets from a memory, so that it is never stored as if it were said."""

from __future__ import annotations

from r3mem_agents.memory.quoting import MARK, escape_tags

START = f"<{MARK}>\n"
END = f"\n</{MARK}>"
RECALLED = "From earlier conversations, recalled because it may help:\n"
RECENT = "The latest turns of this conversation:\n"

LEFT_OUT = "[recalled from memory]"
"""The text that is stored in place of a tool's result that quoted a memory."""


def mark_recalled(lines: str) -> str:
    """Recalled lines as a prompt should hold them, told apart from what is said now.

    Nothing in the lines ends the mark: a tag of its name becomes plain words.
    """
    return START + RECALLED + escape_tags(lines, MARK) + END


def is_recalled(text: str) -> bool:
    """True if a text begins with what a memory gave a prompt, and so must not be stored again.

    The tag alone may be the user's own words, so one of the two headings has to follow it.
    """
    return text.startswith((START + RECALLED, START + RECENT))


def without_recalled(text: str) -> str:
    """The text without what a memory gave the prompt in front of it."""
    if not is_recalled(text):
        return text
    return text[len(START) :].partition(END)[2].removeprefix("\n")
