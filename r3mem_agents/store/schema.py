"""The tables: no column holds text of a conversation."""

from __future__ import annotations

FORMAT_VERSION = 5
"""Version of these tables; grows with every change that another package could misread."""

# What wrote here. All of them have one expander, but for what wrote damaged turns long ago.
_MODELS = """
CREATE TABLE models (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    expander VARCHAR NOT NULL,
    encoder VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (expander, encoder)
)
"""

# AUTOINCREMENT: an id is never given twice, so neither a caller nor a cache can take a new turn for
# a forgotten one.
_SCOPES = """
CREATE TABLE scopes (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user BLOB NOT NULL,
    agent BLOB NOT NULL,
    hidden BLOB NOT NULL,
    changes INTEGER NOT NULL,
    rules BLOB NOT NULL,
    turns INTEGER DEFAULT 0 NOT NULL,
    marks INTEGER DEFAULT 0 NOT NULL,
    UNIQUE (user, agent)
)
"""

# One row. The secret makes hashes of names and terms useless outside this database.
_META = """
CREATE TABLE meta (
    id INTEGER NOT NULL,
    format INTEGER NOT NULL,
    secret BLOB NOT NULL,
    secret_checksum BIGINT NOT NULL,
    model INTEGER,
    unscrubbed INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(model) REFERENCES models (id)
)
"""

# Sessions and speakers alike.
_NAMES = """
CREATE TABLE {table} (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL,
    digest BLOB NOT NULL,
    hidden BLOB NOT NULL,
    UNIQUE (scope, digest),
    FOREIGN KEY(scope) REFERENCES scopes (id)
)
"""

# Which turns a scope has, and the terms by which they are found: all of it can be made anew from
# the turns. Indexes of turns by scope and session took ten times the room.
_BLOCKS = """
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

# The widest columns come last: what a lookup reads lies in front of the code, which only the
# winners need.
_TURNS = """
CREATE TABLE turns (
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

# What is special about a turn: most have no row here.
_MARKS = """
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

TABLES = (
    _MODELS,
    _SCOPES,
    _META,
    _NAMES.format(table="sessions"),
    _NAMES.format(table="speakers"),
    _BLOCKS,
    "CREATE INDEX blocks_by_scope ON blocks (scope, last)",
    _TURNS,
    # Most turns have no key, and take no room in this index.
    'CREATE UNIQUE INDEX turns_by_key ON turns (session, "key") WHERE "key" IS NOT NULL',
    _MARKS,
)
"""Statements that create them, with their indexes."""
