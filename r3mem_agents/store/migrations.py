"""Files of earlier formats become files of this one: ordered steps, each in a transaction.

A step is written once and never changed: it names tables and columns as they were then. Where it
calls code of today, as for blocks, whoever changes what that writes leaves a copy here. A step
ends with the number of its format, so whoever is killed in it leaves the file as it was, and the
next one to open it begins there again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine

from r3mem_agents.store.blocks import TERM_BYTES, Block
from r3mem_agents.store.membership import add_members
from r3mem_agents.store.varints import varints

Step = Callable[[Connection], None]

ROWS_AT_ONCE = 1_000


def migrate(writer: Engine, version: int) -> None:
    """Bring a file to the format of this version.

    Other processes may do the same at the same time: one of them does each step.

    Args:
        writer: Makes connections that write.
        version: Format of the file, one of ``STEPS``.
    """
    while version in STEPS:
        with writer.begin() as connection:  # waits for whoever is at it
            version = connection.exec_driver_sql("SELECT format FROM meta").scalar_one()
            if version not in STEPS:
                return
            STEPS[version](connection)
            version += 1
            # Pages that were copied lie in the file still: they are scrubbed as after a deletion.
            connection.exec_driver_sql(
                "UPDATE meta SET format = ?, unscrubbed = unscrubbed + 1", (version,)
            )


def _terms_in_blocks(connection: Connection) -> None:
    """3 to 4: terms move from turns to blocks, which stand in for two indexes as well."""
    do = connection.exec_driver_sql
    for table in ("scopes", "sessions", "speakers"):
        do(f"ALTER TABLE {table} RENAME COLUMN sealed TO hidden")
    do('ALTER TABLE meta RENAME COLUMN "key" TO secret')
    do("ALTER TABLE meta RENAME COLUMN key_checksum TO secret_checksum")
    do("ALTER TABLE scopes ADD COLUMN turns INTEGER NOT NULL DEFAULT 0")
    do(_TURNS_4)
    do(_BLOCKS_4)
    do("CREATE INDEX blocks_by_scope ON blocks (scope, last)")
    names = (
        'id, scope, session, speaker, model, time_us, offset_s, checksum, gists, "key", extra, code'
    )
    old = do(f"SELECT {names}, tokens, text_bytes, inferred, packed, literal FROM turns")
    marks = ", ".join("?" * 13)
    while rows := old.fetchmany(ROWS_AT_ONCE):
        new = [(*row[:12], _counts(row[12:])) for row in rows]
        do(f"INSERT INTO turns_4 ({names}, counts) VALUES ({marks})", new)
    found = do("SELECT scope, id, session, speaker, terms FROM turns ORDER BY scope, id")
    for scope, turns in groupby(found, itemgetter(0)):
        while some := [*islice(turns, ROWS_AT_ONCE)]:
            if isinstance(scope, int):
                add_members(connection, scope, _block(some))
    last = do("SELECT seq FROM sqlite_sequence WHERE name = 'turns'").scalar_one_or_none()
    do("DROP TABLE turns")
    do("DELETE FROM sqlite_sequence WHERE name = 'turns_4'")
    if last is not None:
        do("INSERT INTO sqlite_sequence (name, seq) VALUES ('turns_4', ?)", (last,))
    do("ALTER TABLE turns_4 RENAME TO turns")
    do('CREATE UNIQUE INDEX turns_by_key ON turns (session, "key") WHERE "key" IS NOT NULL')


def _counts(values: Sequence[object]) -> bytes:
    # A damaged value makes no other turn unreadable, nor this one.
    numbers = [value for value in values if isinstance(value, int) and value >= 0]
    return varints(numbers).rstrip(b"\0") if len(numbers) == len(values) else b""


def _block(rows: Sequence[Any]) -> Block:
    return Block(
        ids=[row.id for row in rows],
        sessions=[row.session if isinstance(row.session, int) else 0 for row in rows],
        speakers=[row.speaker if isinstance(row.speaker, int) else 0 for row in rows],
        terms=[
            row.terms if isinstance(row.terms, bytes) and len(row.terms) % TERM_BYTES == 0 else b""
            for row in rows
        ],
    )


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

STEPS: Mapping[int, Step] = {3: _terms_in_blocks}
"""What brings a file of a format to the next one. Formats 1 and 2 were never released."""
