"""The JSON Lines that ``r3mem export`` writes: all fields of a turn, one turn a line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Entry, Reading
from r3mem_agents.imports.files import File
from r3mem_agents.types import Turn
from r3mem_agents.validation import check_text, check_turn

FIELDS = {"id", "session", "role", "name", "time", "text", "metadata", "key", "expires", "pinned"}


def recognizes(file: File) -> bool:
    """Tell whether a file has such lines; one without any has none that are not."""
    return {"role", "text"} <= file.first.keys() or not file.data.strip()


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield the turns of such files.

    Raises:
        InvalidInputError: With the number of the first line that is not a turn.
    """
    for file in files:
        yield from _read_lines(file.utf8.split(b"\n"), file.name, reading.session)


def _read_lines(lines: Iterable[bytes], source: str, session: str) -> Iterator[Entry]:
    # Lines end at a line feed only, as text may hold the others.
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig").rstrip(), parse_constant=_refuse)
            yield _read_turn(record, session)
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


def _read_turn(record: Any, session: str) -> Entry:
    if not isinstance(record, dict):
        raise TypeError("not a JSON object")
    if unknown := sorted(set(record) - FIELDS):
        raise TypeError(f"unknown field {unknown[0]!r}; a turn has {', '.join(sorted(FIELDS))}")
    if not isinstance(pinned := record.get("pinned", False), bool):
        raise TypeError("pinned is neither true nor false")
    named = record.get("session")
    turn = Turn(
        role=record["role"],
        text=record["text"],
        name=record.get("name"),
        session=session if named is None else named,
        time=_read_time(record, "time"),
        expires=_read_time(record, "expires"),
        metadata=record.get("metadata"),
        key=record.get("key"),
    )
    check_turn(turn, "turn")
    if pinned and isinstance(turn.expires, datetime) and turn.expires <= datetime.now(UTC):
        turn = dataclasses.replace(turn, expires=None)  # pinned turns stay
    return Entry(turn, pinned)


def _read_time(record: Mapping[str, Any], field: str) -> datetime | None:
    value = record.get(field)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(check_text(value, field))
        return moment if moment.tzinfo else moment.astimezone()
    except InvalidInputError:
        raise
    except (ValueError, OverflowError):  # next to the years 1 and 9999
        raise InvalidInputError(
            f"{field} {value!r} is not a date; write it as 2026-11-20 or 2026-11-20T09:30+01:00"
        ) from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
