"""The tables: portable types only, no column that holds text of a conversation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
    type_coerce,
)
from sqlalchemy.types import NullType

FORMAT_VERSION = 4
"""Version of these tables; grows with every change that another package could misread."""

# SQLite numbers rows by itself only in a column declared INTEGER; it holds 64 bits there too.
ROW_ID = BigInteger().with_variant(Integer, "sqlite")

tables = MetaData()

# What wrote here. All of them have one expander, but for what wrote damaged turns long ago.
models = Table(
    "models",
    tables,
    Column("id", ROW_ID, primary_key=True),
    Column("name", String, nullable=False),
    Column("expander", String, nullable=False),
    Column("encoder", String, nullable=False),
    UniqueConstraint("expander", "encoder"),
)

# One row. The secret makes hashes of names and terms useless outside this database.
meta = Table(
    "meta",
    tables,
    Column("id", Integer, primary_key=True),
    Column("format", Integer, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("secret_checksum", BigInteger, nullable=False),
    Column("model", ROW_ID, ForeignKey("models.id")),
    Column("unscrubbed", Integer, nullable=False),
)

# sqlite_autoincrement: an id is never given twice, so neither a caller nor a cache can take a new
# turn for a forgotten one. Other databases' sequences behave so by themselves.
scopes = Table(
    "scopes",
    tables,
    Column("id", ROW_ID, primary_key=True),
    Column("user", LargeBinary, nullable=False),
    Column("agent", LargeBinary, nullable=False),
    Column("hidden", LargeBinary, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("rules", LargeBinary, nullable=False),
    Column("turns", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("user", "agent"),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    tables,
    Column("id", ROW_ID, primary_key=True),
    Column("scope", ROW_ID, ForeignKey("scopes.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("hidden", LargeBinary, nullable=False),
    UniqueConstraint("scope", "digest"),
    sqlite_autoincrement=True,
)

speakers = Table(
    "speakers",
    tables,
    Column("id", ROW_ID, primary_key=True),
    Column("scope", ROW_ID, ForeignKey("scopes.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("hidden", LargeBinary, nullable=False),
    UniqueConstraint("scope", "digest"),
    sqlite_autoincrement=True,
)

# The widest columns come last: what a lookup reads lies in front of the code, which only the
# winners need.
turns = Table(
    "turns",
    tables,
    Column("id", ROW_ID, primary_key=True),
    Column("scope", ROW_ID, ForeignKey("scopes.id"), nullable=False),
    Column("session", ROW_ID, ForeignKey("sessions.id"), nullable=False),
    Column("speaker", ROW_ID, ForeignKey("speakers.id"), nullable=False),
    Column("model", ROW_ID, ForeignKey("models.id"), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("offset_s", Integer, nullable=False),
    Column("counts", LargeBinary, nullable=False),
    Column("checksum", Integer, nullable=False),
    Column("gists", LargeBinary, nullable=False),
    Column("key", LargeBinary),
    Column("extra", LargeBinary),
    Column("code", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

# Which turns a scope has, and the terms by which they are found: all of it can be made anew from
# the turns. Indexes of turns by scope and session took ten times the room.
blocks = Table(
    "blocks",
    tables,
    Column("id", ROW_ID, primary_key=True),
    Column("scope", ROW_ID, ForeignKey("scopes.id"), nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("checksum", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

Index("blocks_by_scope", blocks.c.scope, blocks.c.last)

# Most turns have no key, and take no room in this index.
_KEYED = turns.c.key.is_not(None)
_BY_KEY = Index("turns_by_key", turns.c.session, turns.c.key, unique=True, sqlite_where=_KEYED)


def create_all(connection: Connection) -> None:
    """Create the tables."""
    if connection.dialect.name == "postgresql":  # said where it counts: it loads all of the dialect
        _BY_KEY.kwargs["postgresql_where"] = _KEYED
    tables.create_all(connection)


def raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column as it lies there: a damaged value may have another type than its column."""
    return type_coerce(column, NullType())
