"""``r3mem edit``, ``versions`` and ``pin``: what becomes of turns that are stored."""

from __future__ import annotations

import rich_click as click

from r3mem_agents.cli.console import counted, emit_json, examples, harmless_line, out, said
from r3mem_agents.cli.options import json_option
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.cli.records import turn_record
from r3mem_agents.cli.tables import show_turns


@click.command(
    "edit",
    epilog=examples(
        'r3mem edit 12 "My dog is called Rex."',
        'r3mem edit 12 "My dog is called Rex." --keep-versions',
        "cat letter.txt | r3mem edit 12 -",
    ),
)
@click.argument("turn_id", type=int, help="Number of the turn.")
@click.argument("text", help="What it says from now on; - reads it from stdin, to the byte.")
@click.option(
    "--keep-versions",
    is_flag=True,
    help="Keep what it said, for versions and --as-of; otherwise no earlier text is left.",
)
@with_place
@json_option
def edit(*, turn_id: int, text: str, keep_versions: bool, place: Place, as_json: bool) -> None:
    """Give a turn another text; it keeps its number, place, time and all else."""
    new = said(text)
    with place.read() as memory:
        turn = memory.edit(turn_id, new, keep_versions=keep_versions)
    if as_json:
        emit_json(turn_record(turn))
    else:
        size = len(new.encode("utf-8"))
        out().print(harmless_line(f"turn {turn.id} of {place.db} edited ({size:,} bytes)"))


@click.command("versions", epilog=examples("r3mem versions 12", "r3mem versions 12 --json"))
@click.argument("turn_id", type=int, help="Number of the turn.")
@with_place
@json_option
def versions(*, turn_id: int, place: Place, as_json: bool) -> None:
    """Show what a turn said before it was edited, oldest first, as far as that was kept."""
    with place.read() as memory:
        turns = memory.versions(turn_id)
    if turns or as_json:
        show_turns(turns, as_json=as_json)
    else:
        out().print(f"no earlier text of turn {turn_id} was kept")


@click.command("pin", epilog=examples("r3mem pin 12 13", "r3mem pin 12 --undo"))
@click.argument("turn_ids", type=int, nargs=-1, required=True, help="Numbers of turns.")
@click.option("--undo", is_flag=True, help="Let go of them again.")
@with_place
@json_option
def pin(*, turn_ids: tuple[int, ...], undo: bool, place: Place, as_json: bool) -> None:
    """Let turns come first in every context, and not expire."""
    with place.read() as memory:
        memory.pin(turn_ids, pinned=not undo)
    if as_json:
        emit_json({"turn_ids": [*turn_ids], "pinned": not undo})
    else:
        done = "no longer pinned" if undo else "pinned"
        out().print(f"{counted(len({*turn_ids}), 'turn')} {done}")
