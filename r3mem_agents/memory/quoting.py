"""What a prompt quotes cannot speak for itself: neither end the quotation nor begin a line in it.

Whatever stands in the first column of a quotation is ours: the dates and speakers of its turns, and
the headings of sessions. The further lines of a text are indented.
"""

from __future__ import annotations

import json
import re

MARK = "recalled_memory"
"""Tag around what a prompt gets from a memory."""

INDENT = "  "
"""In front of the further lines of a quoted text."""

BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Line ends, as ``str.splitlines`` has them."""

GAP = r"[\s/\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
"""Between a bracket and a name, where a language model may still read a tag: slashes, spaces, and
signs that nobody sees."""

INDENTED = re.compile(f"({BREAK.pattern}){INDENT}")


def escape_tags(text: str, *names: str) -> str:
    """The text with tags of these names made into plain words: ``&lt;/recalled_memory>``."""
    either = "|".join(map(re.escape, names))
    return re.sub(rf"<(?={GAP}*(?:{either})\b)", "&lt;", text, flags=re.IGNORECASE)


def indented(text: str) -> str:
    """A text with its further lines indented."""
    return BREAK.sub(rf"\g<0>{INDENT}", text)


def unindented(text: str) -> str:
    """The text that was indented."""
    return INDENTED.sub(r"\1", text)


def quoted(text: str) -> str:
    """A text as a quotation may hold it."""
    return indented(escape_tags(text, MARK))


def label(name: str) -> str:
    """A name on one line; in quotation marks if it could be taken for nothing, or for more."""
    flat = escape_tags(" ".join(name.split()), MARK)
    return flat if flat and not re.search('[:"]', flat) else json.dumps(flat, ensure_ascii=False)
