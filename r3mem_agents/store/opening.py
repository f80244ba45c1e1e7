"""A database is opened: made where there is none, only read where nothing can be written."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from r3mem_agents.errors import FormatError, R3MemError, StoreUnavailableError
from r3mem_agents.store import sqlite
from r3mem_agents.store.connections import Connections
from r3mem_agents.store.failures import explained, is_unwritable
from r3mem_agents.store.header import Header, create_tables, read_format, read_header
from r3mem_agents.store.migrations import STEPS, migrate
from r3mem_agents.store.places import Place, unchanging
from r3mem_agents.store.schema import FORMAT_VERSION


class Opened(NamedTuple):
    """An open database.

    Attributes:
        connections: To it.
        header: What it says of itself.
        obstacle: Why nothing can be written to it, if so.
    """

    connections: Connections
    header: Header
    obstacle: str | None


def open_database(place: Place, name: str) -> Opened:
    """Open a database, or create it where there is none.

    Where even reading fails since nothing can be written beside the file (its disk is full or
    read-only), the file alone is read, if its write-ahead log holds nothing.

    Args:
        place: Of the database.
        name: The database, as messages should call it.
    """
    try:
        with explained(name):
            return _open(place, name)
    except StoreUnavailableError as error:
        if error.__cause__ is None or not is_unwritable(error.__cause__):
            raise
        alone = unchanging(place)
        if alone is None:
            raise StoreUnavailableError(
                f"{error}; if there is a file {name}-wal, the newest turns lie in it: copy both to "
                "where you can write, and open the copy"
            ) from error.__cause__
        try:
            with explained(name):
                return _open(alone, name)._replace(obstacle=str(error))
        except FormatError:
            raise
        except R3MemError:
            raise error from error.__cause__


def _migrate(connections: Connections, version: int, name: str) -> None:
    try:
        migrate(connections, version)
    except sqlite3.Error as error:
        if not is_unwritable(error):
            raise
        raise FormatError(
            f"{name} has format {version} of an earlier version, and is brought to format "
            f"{FORMAT_VERSION} before it is read, but cannot be written to ({error}); it was left "
            "as it is, open a copy of it where there is room"
        ) from error


def _open(place: Place, name: str) -> Opened:
    connections = Connections(place)
    try:
        _create_if_new(connections, name)
        with connections.reading() as connection:
            version = read_format(connection, name)
        if version in STEPS:
            _migrate(connections, version, name)
        with connections.reading() as connection:
            return Opened(connections, read_header(connection, name), None)
    except BaseException:
        connections.close()
        raise


def _create_if_new(connections: Connections, name: str) -> None:
    with connections.reading() as connection:
        if sqlite.is_ours(connection, name):
            return
    sqlite.begin_file(connections)
    with connections.writing() as connection:
        if sqlite.is_ours(connection, name):  # another process was faster
            return
        create_tables(connection)
        sqlite.mark_as_ours(connection)
