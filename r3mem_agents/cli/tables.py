"""Output that several commands share, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from rich.filesize import decimal
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from r3mem_agents.cli.console import (
    counted,
    emit_json,
    harmless,
    harmless_line,
    harmless_text,
    out,
)
from r3mem_agents.cli.explanations import lookup_table, turn_table
from r3mem_agents.cli.records import receipt_record, recollections_record, turn_record
from r3mem_agents.timestamps import wall_clock
from r3mem_agents.types import MemoryStats, Receipt, Recollections, StoredTurn

INDENTED = "\n    "
INSET = (0, 0, 0, len("0.00  "))


def show_recalled(
    hits: Recollections, title: str, *, now: datetime | None = None, as_json: bool
) -> None:
    """Show the hits of a lookup, with the ids that ``forget`` takes.

    Args:
        hits: The turns, best first, with reasons where they were asked for.
        title: Stands above them.
        now: In whose zone times are shown; ``None`` means the local one.
        as_json: Print JSON instead.
    """
    if as_json:
        emit_json(recollections_record(hits))
        return
    console = out()
    console.print(title if hits else "nothing relevant is remembered")
    if hits.explanation:
        console.print(lookup_table(hits.explanation))
    for hit in hits:
        turn = hit.turn
        speaker, when = turn.place or turn.name or turn.role, wall_clock(turn.time, now)
        head = f"{hit.score:.2f}  {speaker}, {when}, session {turn.session}, turn {turn.id}"
        console.print(harmless_line(head, "bold"), soft_wrap=True)
        console.print(Padding(harmless_text(_shown(turn)), INSET))
        if hit.explanation:
            console.print(Padding(turn_table(hit.explanation), INSET))


def show_turns(turns: Sequence[StoredTurn], *, as_json: bool) -> None:
    """Turns as they were said, under a heading per session, further lines of a text indented."""
    if as_json:
        emit_json([turn_record(turn) for turn in turns])
        return
    current: str | None = None
    console = out()
    for turn in turns:
        if turn.session != current:
            current = turn.session
            console.rule(harmless_line(f"session {current}"), align="left")
        when = wall_clock(turn.time)
        speaker = f"{turn.place or turn.name or turn.role}{_marks(turn)}"
        head = harmless_line(f"{turn.id}  {when}  {speaker}: ", "bold")
        text = harmless(_shown(turn)).replace("\n", INDENTED)
        console.print(head + Text(text), soft_wrap=True)
    if not turns:
        console.print("nothing is remembered here")


def _shown(turn: StoredTurn) -> str:
    # Passages end with the blank lines between them and the next.
    return turn.text if turn.place is None else turn.text.strip("\r\n")


def _marks(turn: StoredTurn) -> str:
    # What is special about a turn; of most, nothing.
    told = ["pinned"] if turn.pinned else []
    told += [f"until {wall_clock(turn.expires)}"] if turn.expires else []
    return f" ({', '.join(told)})" if told else ""


def show_forgotten(receipt: Receipt, *, as_json: bool) -> None:
    """Show a receipt, or only the number of turns that were forgotten."""
    if as_json:
        emit_json(receipt_record(receipt))
    else:
        out().print(f"forgot {counted(receipt.turns, 'turn')}")


def show_stats(found: MemoryStats, title: str, *, as_json: bool) -> None:
    """Show counts and sizes of a memory."""
    if as_json:
        emit_json(asdict(found))
        return
    table = Table(title=harmless_line(title), title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for label, figure in (
        ("turns", f"{found.turns:,}"),
        ("sessions", f"{found.sessions:,}"),
        ("tokens", f"{found.tokens:,}"),
        ("text", decimal(found.text_bytes)),
        ("memory tokens", decimal(found.code_bytes)),
        ("gists", decimal(found.gist_bytes)),
        ("term index", decimal(found.term_bytes)),
        ("whole file", decimal(found.file_bytes)),
        ("bits per token", f"{found.bits_per_token:.2f}"),
        ("tokens inferred", f"{found.inferred_share:.1%}"),
        ("segments packed", f"{found.packed_segments:,}"),
        ("segments literal", f"{found.literal_segments:,}"),
    ):
        table.add_row(label, figure)
    out().print(table)
