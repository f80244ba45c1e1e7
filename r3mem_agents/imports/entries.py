"""What is found in a file: turns, and what was left out of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from r3mem_agents.imports.files import File
from r3mem_agents.types import Turn
from r3mem_agents.validation import MAX_KEY_BYTES

SURROGATES = re.compile("[\ud800-\udfff]")


class Entry(NamedTuple):
    """A turn of a file, and whether it is to be pinned."""

    turn: Turn
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds.

    Attributes:
        kind: What it is.
        entries: Its turns, in the order in which they are to be stored.
        skipped: What was left out, and how often.
        notes: What else a user should know of how it was read.
    """

    kind: str
    entries: list[Entry]
    skipped: Mapping[str, int]
    notes: Sequence[str]


@dataclass(slots=True)
class Reading:
    """A reading of one source, and what it leaves out.

    Attributes:
        name: Name of the source, without its ending.
        files: All files in it.
        session: Session of turns whose source names none.
        branches: Whether edited questions and regenerated answers are wanted too.
        columns: Of a table: which column holds which field of a turn.
        user: Whose memories are wanted, where there are those of several users.
        skipped: What was left out, and how often.
        notes: What else a user should know.
    """

    name: str
    files: Sequence[File]
    session: str
    branches: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def skip(self, what: str, count: int = 1) -> None:
        """Count what is left out."""
        if count:
            self.skipped[what] += count

    def said(
        self,
        role: str,
        text: str,
        *,
        key: str | None,
        session: str | None = None,
        time: datetime | None = None,
        name: object = None,
        title: object = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Iterator[Entry]:
        """Yield one turn, or count it where nothing is said.

        Args:
            role: ``user``, ``assistant`` or what the source says.
            text: What was said.
            key: The source's id; one that is too long for a key becomes a hash.
            session: The conversation; ``None`` means the one for turns that name none.
            time: When it was said.
            name: Who said it, if the source says so.
            title: What people call the conversation, kept as ``metadata["title"]``.
            metadata: What else is worth keeping.
        """
        if not text.strip():
            self.skip("empty messages")
            return
        more = dict(metadata or {})
        if isinstance(title, str) and title.strip():
            more["title"] = whole(title)
        known = isinstance(name, str) and name.strip()
        yield Entry(
            Turn(
                role=role,
                text=whole(text),
                name=whole(str(name)) if known else None,
                session=whole(session or self.session),
                time=time,
                metadata=more or None,
                key=short(key),
            )
        )


def whole(text: str) -> str:
    """A text with its surrogates paired; halves of a character that was cut are marked as such."""
    if not SURROGATES.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def short(key: str | None) -> str | None:
    """A key, or its hash where it is too long for one."""
    if key is None:
        return None
    key = whole(key)
    return key if len(key.encode()) <= MAX_KEY_BYTES else digest(key)


def digest(*parts: object) -> str:
    """A key for what has none of its own: a hash of what it consists of."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
