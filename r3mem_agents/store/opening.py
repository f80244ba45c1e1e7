"""A database is opened: made where there is none, only read where nothing can be written."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import URL, Engine
from sqlalchemy.exc import SQLAlchemyError

from r3mem_agents.errors import FormatError, R3MemError, StoreUnavailableError
from r3mem_agents.store import places, sqlite
from r3mem_agents.store.header import Header, create_tables, read_format, read_header
from r3mem_agents.store.migrations import STEPS, migrate
from r3mem_agents.store.schema import FORMAT_VERSION


class Opened(NamedTuple):
    """An open database.

    Attributes:
        engine: Makes connections.
        writer: Makes connections that write.
        header: What it says of itself.
        obstacle: Why nothing can be written to it, if so.
    """

    engine: Engine
    writer: Engine
    header: Header
    obstacle: str | None


def open_database(url: URL, name: str) -> Opened:
    """Open a database, or create it where there is none.

    Where even reading fails since nothing can be written beside the file (its disk is full or
    read-only), the file alone is read, if its write-ahead log holds nothing.

    Args:
        url: Of the database.
        name: The database, as messages should call it.
    """
    try:
        with sqlite.explained(name):
            return _open(url, name)
    except StoreUnavailableError as error:
        if error.__cause__ is None or not sqlite.is_unwritable(error.__cause__):
            raise
        alone = places.unchanging(url)
        if alone is None:
            raise StoreUnavailableError(
                f"{error}; if there is a file {name}-wal, the newest turns lie in it: copy both to "
                "where you can write, and open the copy"
            ) from error.__cause__
        try:
            with sqlite.explained(name):
                return _open(alone, name)._replace(obstacle=str(error))
        except FormatError:
            raise
        except R3MemError:
            raise error from error.__cause__


def _migrate(writer: Engine, version: int, name: str) -> None:
    try:
        migrate(writer, version)
    except SQLAlchemyError as error:
        if not sqlite.is_unwritable(error):
            raise
        raise FormatError(
            f"{name} has format {version} of an earlier version, and is brought to format "
            f"{FORMAT_VERSION} before it is read, but cannot be written to "
            f"({getattr(error, 'orig', None)}); it was left as it is, open a copy of it where "
            "there is room"
        ) from error


def _open(url: URL, name: str) -> Opened:
    engine = sqlite.connect(url)
    writer = engine.execution_options(**{sqlite.WRITE: True})
    try:
        _create_if_new(engine, writer, name)
        with engine.begin() as connection:
            version = read_format(connection, name)
        if version in STEPS:
            _migrate(writer, version, name)
        with engine.begin() as connection:
            return Opened(engine, writer, read_header(connection, name), None)
    except BaseException:
        engine.dispose()
        raise


def _create_if_new(engine: Engine, writer: Engine, name: str) -> None:
    with engine.begin() as connection:
        if sqlite.is_ours(connection, name):
            return
    sqlite.begin_file(engine)
    with writer.begin() as connection:
        if sqlite.is_ours(connection, name):  # another process was faster
            return
        create_tables(connection)
        sqlite.mark_as_ours(connection)
