"""``r3mem export`` and ``import``: turns as JSON Lines, byte for byte."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import rich_click as click

from r3mem_agents.cli.console import (
    counted,
    emit_json,
    err,
    examples,
    harmless_text,
    late_progress,
    out,
    stdin_bytes,
    warn,
)
from r3mem_agents.cli.files import replaced
from r3mem_agents.cli.options import json_option, one_session_option, parse_time
from r3mem_agents.cli.places import Place, with_place
from r3mem_agents.cli.records import turn_record
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.types import Turn
from r3mem_agents.validation import check_text, check_turn

if TYPE_CHECKING:
    from r3mem_agents import CompressiveMemory

BATCH_TURNS = 128
"""Turns imported in one transaction, between two steps of the progress bar; chosen."""

FIELDS = {"id", "session", "role", "name", "time", "text", "metadata", "key", "expires", "pinned"}


class Line(NamedTuple):
    """A turn of a file, and whether it is to be pinned."""

    turn: Turn
    pinned: bool


@click.command(
    "export",
    epilog=examples(
        "r3mem export alice.jsonl --user alice",
        "r3mem export --session 2026-11-20 | jq .text",
    ),
)
@click.argument("path", default="-", help="File to write; - or none is stdout.")
@one_session_option
@with_place
def export(
    *,
    path: str,
    session: str | None,
    place: Place,
) -> None:
    """Write the turns as JSON Lines: all fields, UTF-8, one turn a line.

    Earlier texts of edited turns are not among them; a backup has them.
    """
    with place.read() as memory:
        turns = memory.history(session)
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
        "r3mem import alice.jsonl --user alice",
        "r3mem export --db old.db | r3mem import - --db new.db",
    ),
)
@click.argument("path", help="File to read; - is stdin.")
@click.option("--session", default="default", help="Session of the turns that name none.")
@with_place
@json_option
def import_(
    *,
    path: str,
    session: str,
    place: Place,
    as_json: bool,
) -> None:
    """Store the turns of a JSON Lines file, such as export writes.

    A line needs role and text; name, session, time, metadata, key, expires and pinned are optional,
    and id is given anew. A turn whose key its session holds already is stored once: what the file
    says of it counts. The whole file is checked before anything is stored.
    """
    if path == "-":
        turns = read_turns(stdin_bytes(), "stdin")
    else:
        with Path(path).open("rb") as source:
            turns = read_turns(source, path)
    with place.open(session=session, must_exist=False) as memory:
        _store(memory, turns)
    if as_json:
        emit_json({"imported": len(turns)})
    else:
        out().print(
            harmless_text(f"{counted(len(turns), 'turn')} stored in {place.db}"), soft_wrap=True
        )


def _store(memory: CompressiveMemory, turns: Sequence[Line]) -> None:
    """Store turns in runs of ``BATCH_TURNS``; if that ends early, say how far it came."""
    stored = 0
    try:
        with late_progress("compressing") as show:
            for start in range(0, len(turns), BATCH_TURNS):
                batch = turns[start : start + BATCH_TURNS]
                kept = memory.remember_many([line.turn for line in batch])
                pinned = [turn.id for turn, line in zip(kept, batch, strict=True) if line.pinned]
                if pinned:
                    memory.pin(pinned)
                stored += len(batch)
                show(stored, len(turns))
    except BaseException:
        if stored:
            warn(
                f"at least the first {stored:,} of {counted(len(turns), 'turn')} are stored, see: "
                "r3mem history; before you import the file again, remove from it those of them "
                "that have no key"
            )
        raise


def read_turns(lines: Iterable[bytes], source: str) -> list[Line]:
    """Read turns from JSON Lines; lines end at a line feed only, as text may hold the others.

    Raises:
        InvalidInputError: With the number of the first line that is not a turn.
    """
    turns = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig").rstrip(), parse_constant=_refuse)
            turns.append(_read_turn(record))
        except UnicodeDecodeError:
            raise InvalidInputError(f"{source}, line {number}: not UTF-8 text") from None
        except json.JSONDecodeError as error:
            raise InvalidInputError(
                f"{source}, line {number}, column {error.colno}: not JSON ({error.msg}); a line is "
                "one whole JSON object, as export writes it"
            ) from None
        except RecursionError:
            raise InvalidInputError(f"{source}, line {number}: nested too deep") from None
        except (ValueError, KeyError, TypeError) as error:
            reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
            raise InvalidInputError(f"{source}, line {number}: {reason}") from None
    return turns


def _read_turn(record: Any) -> Line:
    if not isinstance(record, dict):
        raise TypeError("not a JSON object")
    if unknown := sorted(set(record) - FIELDS):
        raise TypeError(f"unknown field {unknown[0]!r}; a turn has {', '.join(sorted(FIELDS))}")
    if not isinstance(pinned := record.get("pinned", False), bool):
        raise TypeError("pinned is neither true nor false")
    turn = Turn(
        role=record["role"],
        text=record["text"],
        name=record.get("name"),
        session=record.get("session"),
        time=_read_time(record, "time"),
        expires=_read_time(record, "expires"),
        metadata=record.get("metadata"),
        key=record.get("key"),
    )
    check_turn(turn, "turn")
    if pinned and isinstance(turn.expires, datetime) and turn.expires <= datetime.now(UTC):
        turn = dataclasses.replace(turn, expires=None)  # pinned turns stay
    return Line(turn, pinned)


def _read_time(record: Mapping[str, Any], field: str) -> datetime | None:
    value = record.get(field)
    return None if value is None else parse_time(check_text(value, field), field)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
