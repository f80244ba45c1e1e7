"""``r3mem export`` and ``import``: turns as JSON Lines, byte for byte."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from r3mem_agents.cli.console import (
    counted,
    emit_json,
    err,
    examples,
    harmless_text,
    out,
    progress,
)
from r3mem_agents.cli.options import JsonOption, OneSessionOption, parse_time
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.cli.records import turn_record
from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.types import Turn
from r3mem_agents.validation import check_text, check_turn

commands = typer.Typer()

BATCH_TURNS = 128
"""Turns imported in one transaction, between two steps of the progress bar; chosen."""

FIELDS = {"id", "session", "role", "name", "time", "text", "metadata", "key"}


@commands.command(
    "export",
    rich_help_panel="Memory",
    epilog=examples(
        "r3mem export alice.jsonl --user alice",
        "r3mem export --session 2026-11-20 | jq .text",
    ),
)
@with_place
def export(
    *,
    path: Annotated[str, typer.Argument(help="File to write; - is stdout.")] = "-",
    session: OneSessionOption = None,
    place: Place,
) -> None:
    """Write the turns as JSON Lines: all fields, UTF-8, one turn a line."""
    if path != "-" and Path(path).resolve() == Path(place.db).resolve():
        raise InvalidInputError(f"{path} is the memory itself; export to another file")
    with place.read() as memory:
        turns = memory.history(session)
    with ExitStack() as stack:
        sink: BinaryIO = sys.stdout.buffer
        if path != "-":
            sink = stack.enter_context(Path(path).open("wb"))
        for turn in turns:
            line = json.dumps(turn_record(turn), ensure_ascii=False, allow_nan=False)
            sink.write(line.encode("utf-8") + b"\n")
        sink.flush()
    if path != "-":
        err().print(
            harmless_text(f"{counted(len(turns), 'turn')} written to {path}"), soft_wrap=True
        )


@commands.command(
    "import",
    rich_help_panel="Memory",
    epilog=examples(
        "r3mem import alice.jsonl --user alice",
        "r3mem export --db old.db | r3mem import - --db new.db",
    ),
)
@with_place
def import_(
    *,
    path: Annotated[str, typer.Argument(help="File to read; - is stdin.")],
    session: Annotated[
        str, typer.Option("--session", help="Session of the turns that name none.")
    ] = "default",
    place: Place,
    as_json: JsonOption = False,
) -> None:
    """Store the turns of a JSON Lines file, such as export writes.

    A line needs role and text; name, session, time, metadata and key are optional, and id is given
    anew. A turn whose key its session holds already is stored once: what the file says of it
    counts. The whole file is checked before anything is stored.
    """
    if path == "-":
        turns = read_turns(sys.stdin.buffer, "stdin")
    elif not Path(path).is_file():
        raise NotFoundError(f"no file at {path}")
    else:
        with Path(path).open("rb") as source:
            turns = read_turns(source, path)
    with (
        place.open(session=session, must_exist=False) as memory,
        progress() as bar,
    ):
        task = bar.add_task("compressing", total=len(turns))
        for start in range(0, len(turns), BATCH_TURNS):
            batch = turns[start : start + BATCH_TURNS]
            memory.remember_many(batch)
            bar.advance(task, len(batch))
    if as_json:
        emit_json({"imported": len(turns)})
    else:
        out().print(
            harmless_text(f"{counted(len(turns), 'turn')} stored in {place.db}"), soft_wrap=True
        )


def read_turns(lines: Iterable[bytes], source: str) -> list[Turn]:
    """Read turns from JSON Lines; lines end at a line feed only, as text may hold the others.

    Raises:
        InvalidInputError: With the number of the first line that is not a turn.
    """
    turns = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            turns.append(_read_turn(json.loads(line, parse_constant=_refuse)))
        except RecursionError:
            raise InvalidInputError(f"{source}, line {number}: nested too deep") from None
        except (ValueError, KeyError, TypeError) as error:
            reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
            raise InvalidInputError(f"{source}, line {number}: {reason}") from None
    return turns


def _read_turn(record: Any) -> Turn:
    if not isinstance(record, dict):
        raise TypeError("not a JSON object")
    if unknown := sorted(set(record) - FIELDS):
        raise TypeError(f"unknown field {unknown[0]!r}; a turn has {', '.join(sorted(FIELDS))}")
    time = record.get("time")
    turn = Turn(
        role=record["role"],
        text=record["text"],
        name=record.get("name"),
        session=record.get("session"),
        time=None if time is None else parse_time(check_text(time, "time"), "time"),
        metadata=record.get("metadata"),
        key=record.get("key"),
    )
    return check_turn(turn, "turn")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
