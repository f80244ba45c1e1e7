"""``r3mem verify``, ``backup`` and ``recompress``: a whole file, whoever's turns are in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import rich_click as click
from click.exceptions import Exit
from rich.table import Table

from r3mem_agents.cli.console import (
    counted,
    emit_json,
    err,
    examples,
    harmless_line,
    harmless_text,
    late_progress,
    out,
)
from r3mem_agents.cli.options import db_option, json_option, model_option
from r3mem_agents.cli.places import Place, check_exists
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.timestamps import wall_clock
from r3mem_agents.types import DamagedTurn, Recompression


@click.command(
    "verify",
    epilog=examples(
        "r3mem verify",
        "r3mem verify --db team.db --json",
    ),
)
@db_option
@model_option
@json_option
def verify(
    db: str,
    model: str | None,
    as_json: bool,
) -> None:
    """Read everything in a file, of all users, and report what is damaged.

    Exit code 1 says that something is.
    """
    with Place(db=db, model=model).open() as memory, err().status("reading"):
        report = memory.verify()
    if as_json:
        problems = [*report.problems]
        emit_json(
            {"turns": report.turns, "damaged": _records(report.damaged), "problems": problems}
        )
    else:
        for problem in report.problems:
            out().print(harmless_text(problem), soft_wrap=True)
        for turn in report.damaged:
            out().print(harmless_line(_line(turn)), soft_wrap=True)
        verdict = "all is as it was written" if report.ok else f"{db} is damaged"
        out().print(harmless_text(f"{counted(report.turns, 'turn')} read: {verdict}"))
    if not report.ok:
        raise Exit(1)


def _records(damaged: Sequence[DamagedTurn]) -> list[dict[str, Any]]:
    return [asdict(one) | {"time": one.time.isoformat() if one.time else None} for one in damaged]


def _line(turn: DamagedTurn) -> str:
    names = {"user": turn.user, "agent": turn.agent, "session": turn.session}
    told = [f"{what} {name}" for what, name in names.items() if name is not None]
    when = [] if turn.time is None else [wall_clock(turn.time)]
    return f"turn {turn.id} ({', '.join([*told, *when]) or 'of whom is unknown'}): {turn.reason}"


@click.command(
    "backup",
    epilog=examples(
        "r3mem backup alice-2026-11-20.db --db alice.db",
    ),
)
@click.argument("path", help="The copy; no file may be there yet.")
@db_option
@model_option
@json_option
def backup(
    path: str,
    db: str,
    model: str | None,
    as_json: bool,
) -> None:
    """Copy a whole file, of all users, while it may be in use."""
    with Place(db=db, model=model).open() as memory:
        memory.backup(path)
    if as_json:
        emit_json({"copy": path})
    else:
        out().print(harmless_text(f"{db} copied to {path}"), soft_wrap=True)


@click.command(
    "recompress",
    epilog=examples(
        "r3mem recompress alice.db",
        "r3mem recompress alice.db --from checkpoints/last-year",
    ),
)
@click.argument("file", required=False, help="The memory; what --db says if left out.")
@click.option(
    "--from",
    "source",
    show_default=False,
    help="Checkpoint that wrote the file, if neither the new nor a bundled one did.",
)
@db_option
@model_option
@json_option
@click.pass_context
def recompress(
    context: click.Context,
    file: str | None,
    source: str | None,
    db: str,
    model: str | None,
    as_json: bool,
) -> None:
    """Give every turn of a file, of all users, the memory tokens of a newer model.

    An interruption loses nothing: run it again. Exit code 1 says that turns are damaged; they stay
    as they were.
    """
    given = context.get_parameter_source("db")
    if file is not None and given is not None and given.name == "COMMANDLINE":
        raise InvalidInputError(f"{file} and --db {db}: name one file")
    where = db if file is None else file
    check_exists(where)
    from r3mem_agents.memory import recompress as compress_anew

    with late_progress("compressing") as show:
        report = compress_anew(where, source=source, model=model, progress=show)
    if as_json:
        emit_json(asdict(report) | {"damaged": _records(report.damaged)})
    else:
        _show_recompressed(report, where)
    if report.damaged:
        raise Exit(1)


def _show_recompressed(report: Recompression, where: str) -> None:
    table = Table(title=harmless_line(where), title_justify="left")
    table.add_column("what")
    table.add_column("turns", justify="right")
    others = report.turns - report.recompressed - len(report.damaged)
    for label, figure in (
        (f"compressed anew, with {report.model}", report.recompressed),
        ("of that model already", others),
        ("damaged, as they were", len(report.damaged)),
        ("in the file", report.turns),
    ):
        table.add_row(harmless_line(label), f"{figure:,}")
    out().print(table)
    for turn in report.damaged:
        out().print(harmless_line(_line(turn)), soft_wrap=True)
