"""The formats that are known, and which of them a file has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports import (
    chatgpt,
    claude,
    claude_code,
    codex,
    discord,
    langgraph,
    mem0,
    messages,
    own,
    slack,
    table,
    telegram,
    whatsapp,
)
from r3mem_agents.imports.archives import files_in, files_under
from r3mem_agents.imports.entries import Entry, Found, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.validation import check_turn


class Format(NamedTuple):
    """A format.

    Attributes:
        name: What it is called.
        recognizes: Tells whether a file has it.
        read: Yields the turns of files that have it.
    """

    name: str
    recognizes: Callable[[File], bool]
    read: Callable[[Sequence[File], Reading], Iterator[Entry]]


LOGS = (
    Format("Claude Code", claude_code.recognizes, claude_code.read),
    Format("Codex", codex.recognizes, codex.read),
)
MESSAGES = Format("messages with role and content", messages.recognizes, messages.read)
TABLE = Format("table", table.recognizes, table.read)
FORMATS = (
    Format("turns of r3mem", own.recognizes, own.read),
    *LOGS,
    Format("LangGraph", langgraph.recognizes, langgraph.read),
    Format("ChatGPT", chatgpt.recognizes, chatgpt.read),
    Format("Claude", claude.recognizes, claude.read),
    Format("Telegram", telegram.recognizes, telegram.read),
    Format("Discord", discord.recognizes, discord.read),
    Format("Slack", slack.recognizes, slack.read),
    Format("mem0", mem0.recognizes, mem0.read),
    MESSAGES,
    Format("WhatsApp", whatsapp.recognizes, whatsapp.read),
    TABLE,
)
"""The first that recognizes a file reads it."""

MAX_SHOWN = 60
"""Characters of an unknown file that its error shows."""


def find(
    path: str,
    data: bytes | None = None,
    *,
    session: str = "default",
    branches: bool = False,
    columns: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Found:
    """Find the turns that a file holds. All of them are checked.

    Args:
        path: A file, an archive or a folder.
        data: What was read from it, if it has been.
        session: Session of turns whose source names none.
        branches: Whether edited questions and regenerated answers are wanted too.
        columns: Of fields of a turn the columns that hold them, where it is a table.
        user: Whose memories are wanted, where there are those of several users.

    Raises:
        InvalidInputError: It is of no known format, or broken.
        OSError: It cannot be read.
    """
    place = Path(path)
    if data is None and place.is_dir():
        files = files_under(place)
    else:
        files = files_in(path, _source(place) if data is None else data)
    name = place.resolve().name if place.is_dir() else place.stem
    reading = Reading(name, files, session, branches, columns or {}, user)
    known = {TABLE: files} if columns else _recognized(files)
    if not known:
        raise InvalidInputError(f"{path}: {_seen(files)}; {_known()}")
    reading.skip("other files", len(files) - sum(map(len, known.values())))
    found: dict[tuple[str | None, object], Entry] = {}
    for kind, its in known.items():
        for number, entry in enumerate(kind.read(its, reading), 1):
            check_turn(entry.turn, f"{path}, turn {number}")
            # What comes twice is one turn, and says what it says at last.
            same = (entry.turn.session, entry.turn.key or (kind, number))
            reading.skip("messages that come again", same in found)
            found[same] = entry
    kinds = " and ".join(kind.name for kind in known)
    return Found(kinds, [*found.values()], dict(reading.skipped), reading.notes)


def _source(place: Path) -> Path | bytes:
    """A path, or what a pipe holds, which can be read once."""
    return place if place.is_file() else place.read_bytes()


def _recognized(files: Sequence[File]) -> dict[Format, list[File]]:
    """Of each format that is there the files that have it.

    Beside logs nothing else counts, and beside the export of a program no table and no messages: it
    was sent as a file in it.

    Raises:
        InvalidInputError: A file is broken that is called like one that is known, but for numbers,
            or nothing is known.
    """
    known: dict[Format, list[File]] = {}
    broken: dict[str, InvalidInputError] = {}
    for file in files:
        try:
            kind = next((one for one in FORMATS if one.recognizes(file)), None)
        except InvalidInputError as error:
            broken[file.pattern] = error
            continue
        if kind is not None and (file.data.strip() or len(files) == 1):
            known.setdefault(kind, []).append(file)
        file.forget()
    likely = [kind for kind in known if kind in LOGS] or [
        kind for kind in known if kind not in (MESSAGES, TABLE)
    ]
    known = {kind: its for kind, its in known.items() if kind in (likely or known)}
    patterns = {file.pattern for its in known.values() for file in its}
    for pattern, reason in broken.items():
        if not known or pattern in patterns:
            raise reason
    return known


def _seen(files: Sequence[File]) -> str:
    """What was seen where nothing was recognized."""
    if not files:
        return "it is a folder or an archive without a file of text"
    if len(files) > 1:
        return f"none of its {len(files):,} files of text, such as {files[0].name}, is known"
    [file] = files
    there = file.document
    first = there[0] if isinstance(there, list) and there else there or file.first
    if isinstance(first, dict) and first:
        fields = ", ".join(list(map(str, first))[:8])
        return f"JSON, whose objects have the fields {fields}"
    if isinstance(there, list | dict):
        return "JSON without an object that could be a turn"
    head = " ".join(file.text[: 2 * MAX_SHOWN].split())[:MAX_SHOWN]
    hint = "; if it is a table, name its columns: --column text=NAME" if {*head} & {*",;|"} else ""
    return f"text that begins {head!r}{hint}"


def _known() -> str:
    return f"known are {', '.join(one.name for one in FORMATS)}"
