"""Files of earlier formats become files of this one: ordered steps, each in a transaction.

A step is written once and never changed: it names tables and columns as they were then, and calls
nothing that writes today's format. A step ends with the number of its format, so whoever is killed
in it leaves the file as it was, and the next one to open it begins there again.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter, sub
from typing import Any

from r3mem_agents.store.connections import Connections
from r3mem_agents.store.rows import the_one

Step = Callable[[sqlite3.Connection], None]

ROWS_AT_ONCE = 1_000

ROWS_IN_BLOCK = 400
"""Chosen: about what a block holds that grew turn by turn."""


def migrate(connections: Connections, version: int) -> None:
    """Bring a file to the format of this version.

    Other processes may do the same at the same time: one of them does each step.

    Args:
        connections: To it.
        version: Format of the file, one of ``STEPS``.
    """
    while version in STEPS:
        with connections.writing() as connection:  # waits for whoever is at it
            [version] = the_one(connection.execute("SELECT format FROM meta"))
            if version not in STEPS:
                return
            STEPS[version](connection)
            version += 1
            # Pages that were copied lie in the file still: they are scrubbed as after a deletion.
            connection.execute(
                "UPDATE meta SET format = ?, unscrubbed = unscrubbed + 1", (version,)
            )


def _terms_in_blocks(connection: sqlite3.Connection) -> None:
    """3 to 4: terms move from turns to blocks, which stand in for two indexes as well."""
    do = connection.execute
    for table in ("scopes", "sessions", "speakers"):
        do(f"ALTER TABLE {table} RENAME COLUMN sealed TO hidden")
    do('ALTER TABLE meta RENAME COLUMN "key" TO secret')
    do("ALTER TABLE meta RENAME COLUMN key_checksum TO secret_checksum")
    do("ALTER TABLE scopes ADD COLUMN turns INTEGER NOT NULL DEFAULT 0")
    do(_TURNS_4)
    do(_BLOCKS_4)
    do("CREATE INDEX blocks_by_scope ON blocks (scope, last)")
    _copy_turns(connection)
    # In the order of an index, which misses what damage has cut off from the table.
    found = do(
        "SELECT scope, id, session, speaker, terms FROM turns INDEXED BY turns_by_scope"
        " ORDER BY scope, id"
    )
    for scope, turns in groupby(found, itemgetter(0)):
        while some := [turn[1:] for turn in islice(turns, ROWS_IN_BLOCK)]:
            if isinstance(scope, int):
                _add_block(connection, scope, some)
    last = do("SELECT seq FROM sqlite_sequence WHERE name = 'turns'").fetchone()
    do("DROP TABLE turns")
    do("DELETE FROM sqlite_sequence WHERE name = 'turns_4'")
    if last is not None:
        do("INSERT INTO sqlite_sequence (name, seq) VALUES ('turns_4', ?)", last)
    do("ALTER TABLE turns_4 RENAME TO turns")
    do('CREATE UNIQUE INDEX turns_by_key ON turns (session, "key") WHERE "key" IS NOT NULL')


def _marks(connection: sqlite3.Connection) -> None:
    """4 to 5: room for what is special about a turn."""
    connection.execute(_MARKS_5)
    connection.execute("ALTER TABLE scopes ADD COLUMN marks INTEGER NOT NULL DEFAULT 0")


def _copy_turns(connection: sqlite3.Connection) -> None:
    do = connection.execute
    plain = "id, scope, session, speaker, model, time_us, offset_s, checksum, gists, code"
    old = do(
        f'SELECT {plain}, "key", extra, tokens, text_bytes, inferred, packed, literal FROM turns'
    )
    marks = ", ".join("?" * 13)
    while rows := old.fetchmany(ROWS_AT_ONCE):
        # Damage may have left no value where one must be: an empty one stands for it.
        sound = [[b"" if value is None else value for value in row[:10]] for row in rows]
        new = [
            (*some, *row[10:12], _counts(row[12:])) for some, row in zip(sound, rows, strict=True)
        ]
        connection.executemany(
            f'INSERT INTO turns_4 ({plain}, "key", extra, counts) VALUES ({marks})', new
        )


def _counts(values: Sequence[object]) -> bytes:
    # A damaged value makes no other turn unreadable, nor this one.
    numbers = [value for value in values if isinstance(value, int) and value >= 0]
    return _varints(numbers).rstrip(b"\0") if len(numbers) == len(values) else b""


def _add_block(connection: sqlite3.Connection, scope: int, rows: Sequence[tuple[Any, ...]]) -> None:
    # Of rows (id, session, speaker, terms) by ascending id; damaged values are left out.
    ids, sessions, speakers, terms = zip(*rows, strict=True)
    data = zlib.compress(_inverted(ids, _row_ids(sessions), _row_ids(speakers), terms), 9, -15)
    crc = zlib.crc32(struct.pack("<qq", scope, ids[-1]) + data)
    connection.execute(
        "INSERT INTO blocks (scope, last, checksum, data) VALUES (?, ?, ?, ?)",
        (scope, ids[-1], crc - 2**32 if crc >= 2**31 else crc, data),
    )
    connection.execute("UPDATE scopes SET turns = turns + ? WHERE id = ?", (len(rows), scope))


def _inverted(
    ids: Sequence[int], sessions: Sequence[int], speakers: Sequence[int], terms: Sequence[object]
) -> bytes:
    # docs/format.md, "blocks": each term once, with the places of the turns that have it.
    places: dict[int, list[int]] = {}
    for place, some in enumerate(terms):
        if isinstance(some, bytes) and len(some) % 3 == 0:
            for start in range(0, len(some), 3):
                places.setdefault(int.from_bytes(some[start : start + 3]), []).append(place)
    distinct = sorted(places)
    having = [places[term] for term in distinct]
    steps = chain.from_iterable(map(_steps, having))
    numbers = [len(distinct), len(ids), *_steps(ids), *sessions, *speakers]
    planes = zip(*(step.to_bytes(3) for step in _steps(distinct)), strict=True)
    return _varints([*numbers, *map(len, having), *steps]) + b"".join(map(bytes, planes))


def _steps(numbers: Sequence[int]) -> list[int]:
    # Each number, less the one before it.
    return list(map(sub, numbers, [0, *numbers]))


def _row_ids(values: Iterable[object]) -> list[int]:
    return [value if isinstance(value, int) and value >= 0 else 0 for value in values]


def _varints(numbers: Iterable[int]) -> bytes:
    data = bytearray()
    for number in numbers:
        while number >= 128:
            data.append(number & 127 | 128)
            number >>= 7
        data.append(number)
    return bytes(data)


_TURNS_4 = """
CREATE TABLE turns_4 (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL,
    session INTEGER NOT NULL,
    speaker INTEGER NOT NULL,
    model INTEGER NOT NULL,
    time_us BIGINT NOT NULL,
    offset_s INTEGER NOT NULL,
    counts BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    gists BLOB NOT NULL,
    "key" BLOB,
    extra BLOB,
    code BLOB NOT NULL,
    FOREIGN KEY(scope) REFERENCES scopes (id),
    FOREIGN KEY(session) REFERENCES sessions (id),
    FOREIGN KEY(speaker) REFERENCES speakers (id),
    FOREIGN KEY(model) REFERENCES models (id)
)
"""

_BLOCKS_4 = """
CREATE TABLE blocks (
    id INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    last BIGINT NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(scope) REFERENCES scopes (id)
)
"""

_MARKS_5 = """
CREATE TABLE marks (
    scope INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    expires_us BIGINT,
    version_of INTEGER,
    replaced_us BIGINT,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (scope, turn),
    FOREIGN KEY(scope) REFERENCES scopes (id),
    FOREIGN KEY(turn) REFERENCES turns (id)
) WITHOUT ROWID
"""

STEPS: Mapping[int, Step] = {3: _terms_in_blocks, 4: _marks}
"""What brings a file of a format to the next one. Formats 1 and 2 were never released."""
