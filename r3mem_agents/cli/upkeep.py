"""``r3mem verify`` and ``backup``: a whole file, whoever's turns are in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from r3mem_agents.cli.console import (
    counted,
    emit_json,
    err,
    examples,
    harmless_line,
    harmless_text,
    out,
)
from r3mem_agents.cli.options import DEFAULT_DB, DbOption, JsonOption, ModelOption, open_memory
from r3mem_agents.timestamps import wall_clock
from r3mem_agents.types import DamagedTurn

commands = typer.Typer()


@commands.command(
    "verify",
    rich_help_panel="Memory",
    epilog=examples(
        "r3mem verify",
        "r3mem verify --db team.db --json",
    ),
)
def verify(
    db: DbOption = DEFAULT_DB, model: ModelOption = None, as_json: JsonOption = False
) -> None:
    """Read everything in a file, of all users, and report what is damaged.

    Exit code 1 says that something is.
    """
    with open_memory(db, "default", "default", model) as memory, err().status("reading"):
        report = memory.verify()
    if as_json:
        damaged = [
            asdict(one) | {"time": one.time.isoformat() if one.time else None}
            for one in report.damaged
        ]
        problems = [*report.problems]
        emit_json({"turns": report.turns, "damaged": damaged, "problems": problems})
    else:
        for problem in report.problems:
            out().print(harmless_text(problem), soft_wrap=True)
        for turn in report.damaged:
            out().print(harmless_line(_line(turn)), soft_wrap=True)
        verdict = "all is as it was written" if report.ok else f"{db} is damaged"
        out().print(harmless_text(f"{counted(report.turns, 'turn')} read: {verdict}"))
    if not report.ok:
        raise typer.Exit(1)


def _line(turn: DamagedTurn) -> str:
    names = {"user": turn.user, "agent": turn.agent, "session": turn.session}
    told = [f"{what} {name}" for what, name in names.items() if name is not None]
    when = [] if turn.time is None else [wall_clock(turn.time)]
    return f"turn {turn.id} ({', '.join([*told, *when]) or 'of whom is unknown'}): {turn.reason}"


@commands.command(
    "backup",
    rich_help_panel="Memory",
    epilog=examples(
        "r3mem backup alice-2026-11-20.db --db alice.db",
    ),
)
def backup(
    path: Annotated[str, typer.Argument(help="The copy; no file may be there yet.")],
    db: DbOption = DEFAULT_DB,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a whole file, of all users, while it may be in use."""
    with open_memory(db, "default", "default", model) as memory:
        memory.backup(path)
    if as_json:
        emit_json({"copy": path})
    else:
        out().print(harmless_text(f"{db} copied to {path}"), soft_wrap=True)
