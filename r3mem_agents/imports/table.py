"""A table, as CSV: a row a turn, under a line with the names of the columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.entries import Entry, Reading, digest
from r3mem_agents.imports.files import File
from r3mem_agents.imports.times import read_time

FIELDS = ("text", "role", "name", "session", "time", "key")
"""What a column may hold."""

DELIMITERS = ",;\t|"
LONGEST = 1 << 30
"""Characters of a cell; Python's own limit is 131,072."""


def recognizes(file: File) -> bool:
    """Tell whether a file begins with names of columns, one of which is ``text``."""
    return "text" in _header(file)


def read(files: Sequence[File], reading: Reading) -> Iterator[Entry]:
    """Yield a turn a row; without a column of keys they are hashes of what a row says.

    Raises:
        InvalidInputError: A column is missing, or a row is none, or its time.
    """
    for file in files:
        columns = _columns(_header(file), reading.columns, file.name)
        rows: Counter[str] = Counter()
        for line, row in _rows(file):
            cells = {field: row[place] for field, place in columns.items()}
            same = digest(*(cells.get(field) for field in FIELDS))
            rows[same] += 1
            yield from reading.said(
                cells.get("role") or "user",
                cells["text"],
                key=cells.get("key") or digest(same, rows[same]),
                session=cells.get("session") or None,
                time=read_time(cells.get("time"), f"{file.name}, line {line}"),
                name=cells.get("name"),
            )


def _table(file: File) -> tuple[io.StringIO, str]:
    """Its lines from the names of its columns on, and what is between cells."""
    text = file.text.lstrip()
    head, _, rest = text.partition("\n")
    if said := re.fullmatch(r"sep=(.)\s*", head):  # as Excel has it
        return io.StringIO(rest, newline=""), said[1]
    return io.StringIO(text, newline=""), max(DELIMITERS, key=head.count)


def _header(file: File) -> list[str]:
    text, delimiter = _table(file)
    try:
        return [name.strip() for name in next(csv.reader(text, delimiter=delimiter), [])]
    except csv.Error:
        return []


def _columns(header: Sequence[str], wanted: Mapping[str, str], file: str) -> dict[str, int]:
    """Of each field that is there, the place of its column."""
    for field, name in wanted.items():
        if name not in header:
            raise InvalidInputError(
                f"{file}: no column {name!r} for {field}; there are {', '.join(map(repr, header))}"
            )
    names = {field: wanted.get(field, field) for field in FIELDS}
    columns = {field: header.index(name) for field, name in names.items() if name in header}
    if "text" not in columns:
        raise InvalidInputError(
            f"{file}: no column of texts; name it: --column text={header[-1] if header else 'NAME'}"
        )
    return columns


def _rows(file: File) -> Iterator[tuple[int, list[str]]]:
    before = csv.field_size_limit(LONGEST)
    try:
        text, delimiter = _table(file)
        reader = csv.reader(text, delimiter=delimiter)
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise InvalidInputError(f"{file.name}: no table that can be read ({error})") from None
    finally:
        csv.field_size_limit(before)
    for line, row in rows[1:]:
        if len(row) != len(rows[0][1]):
            raise InvalidInputError(
                f"{file.name}, line {line}: {len(row)} cells, where the first line names "
                f"{len(rows[0][1])} columns"
            )
        yield line, row
