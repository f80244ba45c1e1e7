"""What a database says of itself: its format and its secret."""

from __future__ import annotations

import secrets
import sqlite3
import zlib
from typing import NamedTuple

from r3mem_agents.errors import FormatError, StoreCorruptError
from r3mem_agents.store.migrations import STEPS
from r3mem_agents.store.rows import at_most_one, the_one
from r3mem_agents.store.schema import FORMAT_VERSION, TABLES

SECRET_BYTES = 16


class Header(NamedTuple):
    """The first things that are read of a database.

    Attributes:
        secret: Of the database, for keyed hashes and masks.
        unscrubbed: Whether traces of deleted rows may be left in it.
    """

    secret: bytes
    unscrubbed: bool


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of a new database, and its secret."""
    for statement in TABLES:
        connection.execute(statement)
    secret = secrets.token_bytes(SECRET_BYTES)
    connection.execute(
        "INSERT INTO meta (id, format, secret, secret_checksum, unscrubbed) VALUES (1, ?, ?, ?, 0)",
        (FORMAT_VERSION, secret, zlib.crc32(secret)),
    )


def read_format(connection: sqlite3.Connection, name: str) -> int:
    """The format of a database: of this version, or one that it can bring to its own.

    Args:
        connection: To the database.
        name: The database, as messages should call it.

    Raises:
        FormatError: Another version of this package wrote it.
        StoreCorruptError: It is damaged.
    """
    row = at_most_one(connection.execute("SELECT format FROM meta"))
    version = row and row[0]
    if not isinstance(version, int) or version <= 0:  # what is damaged may be of another type
        raise StoreCorruptError(_damaged(name))
    if version > FORMAT_VERSION:
        raise FormatError(
            f"{name} has format {version}, this version reads formats up to {FORMAT_VERSION}; "
            "upgrade: pip install -U r3mem-agents"
        )
    if version != FORMAT_VERSION and version not in STEPS:
        raise FormatError(
            f"{name} has format {version} of an early version, this one reads formats "
            f"{min(STEPS)} to {FORMAT_VERSION}; export its turns with the version that wrote it: "
            "r3mem export"
        )
    return version


def read_header(connection: sqlite3.Connection, name: str) -> Header:
    """Read the header of a database of this version's format.

    Args:
        connection: To the database.
        name: The database, as messages should call it.

    Raises:
        StoreCorruptError: It is damaged.
    """
    secret, checksum, unscrubbed = the_one(
        connection.execute("SELECT secret, secret_checksum, unscrubbed FROM meta")
    )
    if isinstance(secret, bytes) and zlib.crc32(secret) == checksum:
        return Header(secret, bool(unscrubbed))
    raise StoreCorruptError(_damaged(name))


def _damaged(name: str) -> str:
    return f"{name} is damaged where its format and secret are kept; restore it from a backup"
