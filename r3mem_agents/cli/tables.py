"""What several commands show, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from r3mem_agents.cli.console import bytes_text, emit_json, out
from r3mem_agents.cli.records import recollection_record, turn_record
from r3mem_agents.types import MemoryStats, Recollection, Turn


def show_recalled(hits: Sequence[Recollection], title: str, *, as_json: bool) -> None:
    """What a lookup brought back, with the numbers that ``forget`` takes."""
    if as_json:
        emit_json([recollection_record(hit) for hit in hits])
        return
    if not hits:
        out().print("nothing relevant is remembered")
        return
    table = Table(title=title, title_justify="left")
    for column in ("score", "turn", "session", "time", "speaker"):
        table.add_column(column, no_wrap=column != "session")
    table.add_column("text", overflow="fold")
    for hit in hits:
        table.add_row(
            f"{hit.score:.2f}",
            str(hit.turn_id),
            Text(hit.session),
            f"{hit.time:%Y-%m-%d %H:%M}",
            Text(hit.name or hit.role),
            Text(hit.text),
        )
    out().print(table)


def show_turns(turns: Sequence[Turn], *, as_json: bool) -> None:
    """Turns as they were said, under a heading per session."""
    if as_json:
        emit_json([turn_record(turn) for turn in turns])
        return
    current: str | None = None
    console = out()
    for turn in turns:
        if turn.session != current:
            current = turn.session
            console.rule(Text(f"session {current}"), align="left")
        when = f"{turn.time:%Y-%m-%d %H:%M}" if turn.time else ""
        head = Text(f"{turn.id}  {when}  {turn.name or turn.role}: ", style="bold")
        console.print(head + Text(turn.text), soft_wrap=True)
    if not turns:
        console.print("nothing is remembered here")


def show_forgotten(count: int, *, as_json: bool) -> None:
    """How many turns were forgotten."""
    if as_json:
        emit_json({"forgotten": count})
    else:
        out().print(f"forgot {count:,} turn{'' if count == 1 else 's'}")


def show_stats(found: MemoryStats, title: str, *, as_json: bool) -> None:
    """What a memory holds and what it costs."""
    if as_json:
        emit_json(asdict(found))
        return
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for label, figure in (
        ("turns", f"{found.turns:,}"),
        ("sessions", f"{found.sessions:,}"),
        ("tokens", f"{found.tokens:,}"),
        ("text", bytes_text(found.text_bytes)),
        ("memory tokens", bytes_text(found.code_bytes)),
        ("gists", bytes_text(found.gist_bytes)),
        ("entity index", bytes_text(found.entity_bytes)),
        ("whole file", bytes_text(found.file_bytes)),
        ("bits per token", f"{found.bits_per_token:.2f}"),
        ("tokens inferred", f"{found.inferred_share:.1%}"),
        ("segments packed", f"{found.packed_segments:,}"),
        ("segments literal", f"{found.literal_segments:,}"),
    ):
        table.add_row(label, figure)
    out().print(table)
