"""``r3mem log``: who changed what and when."""

from __future__ import annotations

from dataclasses import asdict

import rich_click as click
from rich.table import Table

from r3mem_agents.cli.console import emit_json, examples, harmless_line, out
from r3mem_agents.cli.options import json_option
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.timestamps import wall_clock

MAX_IDS = 8
"""Ids of turns that a line shows, before it counts the others."""


@click.command(
    "log",
    epilog=examples(
        "r3mem log --on",
        "r3mem log --user alice --json",
        "r3mem log --off",
    ),
)
@click.option(
    "--on/--off",
    "on",
    default=None,
    help="Keep a log of the whole file from now on; or keep none any more, and remove it.",
)
@with_place
@json_option
def log(
    *,
    on: bool | None,
    place: Place,
    as_json: bool,
) -> None:
    """Show who changed what and when, without any of the words, if a log is kept.

    A log is kept of a whole file, of all users, once --on asks for it; shown is that of one user
    with one agent. It stays when turns are forgotten. --off removes it, so that no byte is left.
    """
    with place.open() as memory:
        if on is not None:
            memory.keep_log(on)
        entries = memory.log()
    if as_json:
        emit_json([asdict(one) | {"time": one.time.isoformat()} for one in entries])
        return
    if not entries:
        out().print(f"no log of user {place.user} is in this file", markup=False)
        return
    table = Table()
    for column in ("time", "verb", "turns", "ids", "door"):
        table.add_column(column, justify="right" if column == "turns" else "left")
    for one in entries:
        ids = ", ".join(map(str, one.turn_ids[:MAX_IDS]))
        more = ", ..." if one.turns > MAX_IDS else ""
        door = harmless_line(one.door or "")
        table.add_row(wall_clock(one.time), one.verb, f"{one.turns:,}", ids + more, door)
    out().print(table)
