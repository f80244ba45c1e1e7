"""``r3mem export`` and ``import``: turns into files, and what people bring along into turns."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from r3mem_agents.cli.console import (
    counted,
    emit_json,
    err,
    examples,
    harmless_line,
    harmless_text,
    late_progress,
    out,
    stdin_bytes,
    warn,
)
from r3mem_agents.cli.files import replaced
from r3mem_agents.cli.markdown import write_markdown
from r3mem_agents.cli.options import json_option, one_session_option
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.cli.records import turn_record
from r3mem_agents.connect.captured import without_captured
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.recognizing import find
from r3mem_agents.imports.table import FIELDS

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory
    from r3mem_agents.imports.entries import Entry, Found

BATCH_TURNS = 128
"""Turns imported in one transaction, between two steps of the progress bar; chosen."""

MAX_SPEAKERS = 5
"""Speakers that are named, before the others are counted."""


@click.command(
    "export",
    epilog=examples(
        "r3mem export alice.jsonl --user alice",
        "r3mem export --session 2026-11-20 | jq .text",
        "r3mem export pages --to markdown",
    ),
)
@click.argument("path", default="-", help="File or folder to write; - or none is stdout.")
@click.option(
    "--to",
    type=click.Choice(["jsonl", "markdown"]),
    default="jsonl",
    help="JSON Lines, which import takes back, or a folder with a page of Markdown a session.",
)
@one_session_option
@with_place
def export(
    *,
    path: str,
    to: str,
    session: str | None,
    place: Place,
) -> None:
    """Write the turns as JSON Lines: all fields, UTF-8, one turn a line.

    Earlier texts of edited turns are not among them; a backup has them. Markdown is to be read: it
    has who said what and when, and import does not take it back.
    """
    if to == "markdown" and path == "-":
        raise InvalidInputError("Markdown is a file a session; give the path of a new folder")
    with place.read() as memory:
        turns = memory.history(session)
    if to == "markdown":
        pages = write_markdown(Path(path), turns)
        message = f"{counted(len(turns), 'turn')} written to {counted(pages, 'file')} in {path}"
        err().print(harmless_text(message), soft_wrap=True)
        return
    with ExitStack() as stack:
        sink = sys.stdout.buffer if path == "-" else stack.enter_context(replaced(path))
        for turn in turns:
            line = json.dumps(turn_record(turn), ensure_ascii=False, allow_nan=False)
            sink.write(line.encode("utf-8") + b"\n")
        sink.flush()
    if path != "-":
        err().print(
            harmless_text(f"{counted(len(turns), 'turn')} written to {path}"), soft_wrap=True
        )


@click.command(
    "import",
    epilog=examples(
        "r3mem import chatgpt-export.zip",
        "r3mem import log.csv --column text=message --column name=author",
        "r3mem import alice.jsonl --user alice",
        "r3mem export --db old.db | r3mem import - --db new.db",
    ),
)
@click.argument("path", help="File, archive or folder to read; - is stdin.")
@click.option("--session", default="default", help="Session of the turns that name none.")
@click.option(
    "--branches",
    is_flag=True,
    help="Also what was not shown at last: edited questions and regenerated answers.",
)
@click.option(
    "--column",
    multiple=True,
    help="Of a table, which column holds a field, as text=message; fields are text, role, name, "
    "session, time and key. May be repeated.",
)
@with_place
@json_option
def import_(
    *,
    path: str,
    session: str,
    branches: bool,
    column: tuple[str, ...],
    place: Place,
    as_json: bool,
) -> None:
    """Store the turns of a file: of an export of another program, or of r3mem export.

    What it is, is recognized and shown. The whole of it is checked before anything is stored. A
    turn has the key that its source gave it, and one whose key its session holds already is stored
    once, so that a file may be imported again, and an import that was stopped goes on; what the
    file says of such a turn counts.
    """
    data = stdin_bytes().read() if path == "-" else None
    name = "stdin" if path == "-" else path
    columns = _read_columns(column)
    found = find(name, data, session=session, branches=branches, columns=columns, user=place.user)
    with place.open(session=session, must_exist=False) as memory:
        found = without_captured(memory, found)
        _show(found)
        known = set(memory.turn_ids())
        stored = _store(memory, found.entries)
    there = len(stored & known)
    if as_json:
        emit_json(_record(found) | {"imported": len(found.entries), "there_before": there})
    else:
        before = f", {there:,} of them were there before" if there else ""
        message = f"{counted(len(found.entries), 'turn')} stored in {place.db}{before}"
        out().print(harmless_text(message), soft_wrap=True)


def _read_columns(values: Sequence[str]) -> dict[str, str]:
    """Read ``--column``.

    Raises:
        InvalidInputError: One of them names no field of a turn.
    """
    columns = dict[str, str]()
    for value in values:
        field, sign, name = value.partition("=")
        if field not in FIELDS or not sign:
            raise InvalidInputError(
                f"--column {value!r} names no field; write it as text=message, with one of "
                f"{', '.join(FIELDS)}"
            )
        columns[field] = name
    return columns


def _record(found: Found) -> dict[str, Any]:
    """What was found, in numbers."""
    turns = [entry.turn for entry in found.entries]
    times = [turn.time for turn in turns if turn.time is not None]
    return {
        "kind": found.kind,
        "conversations": len({turn.session for turn in turns}),
        "since": min(times).isoformat() if times else None,
        "until": max(times).isoformat() if times else None,
        "speakers": [*dict.fromkeys(turn.name or turn.role for turn in turns)],
        "skipped": found.skipped,
        "notes": [*found.notes],
    }


def _show(found: Found) -> None:
    """Say what was found, and what is left out."""
    seen = _record(found)
    days = [datetime.fromisoformat(seen[end]).date() for end in ("since", "until") if seen[end]]
    speakers = seen["speakers"]
    if len(speakers) > MAX_SPEAKERS:
        speakers = [*speakers[:MAX_SPEAKERS], f"{len(speakers) - MAX_SPEAKERS:,} more"]
    parts = [
        f"{found.kind}: {counted(seen['conversations'], 'conversation')}",
        counted(len(found.entries), "turn"),
        *([" to ".join(map(str, dict.fromkeys(days)))] if days else []),
        *(["by " + ", ".join(speakers)] if speakers else []),
    ]
    err().print(harmless_line(", ".join(parts)), soft_wrap=True)
    if found.skipped:
        left = ", ".join(f"{count:,} {what}" for what, count in found.skipped.items())
        err().print(harmless_line(f"left out: {left}"), soft_wrap=True)
    for note in found.notes:
        warn(note)


def _store(memory: CompressiveMemory, entries: Sequence[Entry]) -> set[int]:
    """Store turns in runs of ``BATCH_TURNS``; if that ends early, say how far it came.

    Returns:
        Their ids.
    """
    stored, ids = 0, set[int]()
    try:
        with late_progress("compressing") as show:
            for start in range(0, len(entries), BATCH_TURNS):
                batch = entries[start : start + BATCH_TURNS]
                kept = memory.remember_many([entry.turn for entry in batch])
                pinned = [one.id for one, entry in zip(kept, batch, strict=True) if entry.pinned]
                if pinned:
                    memory.pin(pinned)
                ids.update(one.id for one in kept)
                stored += len(batch)
                show(stored, len(entries))
    except BaseException:
        if stored:
            keyless = any(entry.turn.key is None for entry in entries[:stored])
            warn(
                f"at least the first {stored:,} of {counted(len(entries), 'turn')} are stored, "
                "see: r3mem history; import the file again to go on"
                + (", but first remove from it those of them that have no key" if keyless else "")
            )
        raise
    return ids
