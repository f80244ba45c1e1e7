"""A database is opened: made where there is none, only read where nothing can be written."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from r3mem_agents.errors import FormatError, NotFoundError, R3MemError, StoreUnavailableError
from r3mem_agents.store import sqlite
from r3mem_agents.store.connections import Connections
from r3mem_agents.store.failures import explained, is_unwritable
from r3mem_agents.store.header import Header, create_tables, read_format, read_header
from r3mem_agents.store.migrations import STEPS, migrate
from r3mem_agents.store.places import Place, readable, unchanging
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


def open_database(place: Place, name: str, *, read_only: bool = False) -> Opened:
    """Open a database, or create it where there is none.

    Where even reading fails since nothing can be written beside the file (its disk is full or
    read-only), the file alone is read, if its write-ahead log holds nothing.

    Args:
        place: Of the database.
        name: The database, as messages should call it.
        read_only: Whether nothing may be written, nor a database created.
    """
    usual = readable(place) if read_only else place
    try:
        with explained(name):
            return _open(usual, name, read_only)
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
                return _open(alone, name, read_only)._replace(obstacle=str(error))
        except FormatError:
            raise
        except R3MemError:
            raise error from error.__cause__


def _migrate(connections: Connections, version: int, name: str, read_only: bool) -> None:
    try:
        migrate(connections, version)
    except sqlite3.Error as error:
        if not is_unwritable(error):
            raise
        why = f"but cannot be written to ({error})"
        do = "open a copy of it where there is room"
        if read_only:
            why, do = "which read_only=True forbids", "open it once without that"
        raise FormatError(
            f"{name} has format {version} of an earlier version, and is brought to format "
            f"{FORMAT_VERSION} before it is read, {why}; it was left as it is, {do}"
        ) from error


def _open(place: Place, name: str, read_only: bool) -> Opened:
    connections = Connections(place)
    try:
        _create_if_new(connections, name, read_only)
        with connections.reading() as connection:
            version = read_format(connection, name)
        if version in STEPS:
            _migrate(connections, version, name, read_only)
        with connections.reading() as connection:
            return Opened(connections, read_header(connection, name), None)
    except BaseException:
        connections.close()
        raise


def _create_if_new(connections: Connections, name: str, read_only: bool) -> None:
    with connections.reading() as connection:
        if sqlite.is_ours(connection, name):
            return
    if read_only:
        raise NotFoundError(f"{name} is empty, and no memory yet; give the path of one")
    sqlite.begin_file(connections)
    with connections.writing() as connection:
        if sqlite.is_ours(connection, name):  # another process was faster
            return
        create_tables(connection)
        sqlite.mark_as_ours(connection)
