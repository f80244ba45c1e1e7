"""Where a database is: a path or a URL, and what opens it there."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from r3mem_agents.errors import InvalidInputError, NotFoundError, StoreUnavailableError
from r3mem_agents.types import IN_MEMORY


def locate(where: str | os.PathLike[str]) -> URL:
    """Turn a path or an SQLAlchemy URL into the URL of an SQLite database.

    Raises:
        InvalidInputError: If it is neither, or the URL of another database.
        StoreUnavailableError: If no file can be there.
    """
    if not isinstance(where, str | os.PathLike):
        raise InvalidInputError(
            f"a memory is opened by a path or an SQLAlchemy URL, not {type(where).__name__}"
        )
    text = os.fspath(where)
    if not isinstance(text, str) or not text.strip():
        raise InvalidInputError(f"the path of a memory is {text!r}; give one like 'alice.db'")
    if text.encode("utf-8", "ignore").decode("utf-8") != text:  # SQLite takes no other
        raise InvalidInputError(f"{text!r} has bytes that are no UTF-8 text; give another path")
    if "://" not in text:
        url = URL.create("sqlite", database=text)
    else:
        try:
            url = make_url(text)
        except ArgumentError as error:
            raise InvalidInputError(f"{text!r} is no SQLAlchemy URL: {error}") from error
        if url.get_backend_name() != "sqlite":
            raise InvalidInputError(
                f"{url.get_backend_name()} is not supported; give a path or a sqlite:/// URL"
            )
    if file := _file(url):
        _check_place(file)
    return url


def check_there(where: str | os.PathLike[str]) -> None:
    """Refuse a path or URL of a file that does not exist.

    Raises:
        NotFoundError: If there is none.
    """
    file = _file(locate(where))
    if file and not file.exists():
        raise NotFoundError(f"there is no memory at {file}; give the path of one")


def free_path(path: str | os.PathLike[str]) -> Path:
    """Where a new file can be written.

    Raises:
        InvalidInputError: If it is no path, or a file is there already.
        StoreUnavailableError: If no file can be there.
    """
    url = locate(path)
    text = os.fspath(path)
    if "://" in text or url.database == IN_MEMORY:
        raise InvalidInputError(f"{text!r} is no path of a file; give one like 'backup.db'")
    target = Path(text).absolute()
    if target.exists():
        raise InvalidInputError(
            f"there is a file at {target} already, which is left as it is; give another path"
        )
    return target


def location(where: str | os.PathLike[str]) -> str:
    """What opens the same database again: an absolute path, or the URL that was given."""
    text = os.fspath(where)
    return text if "://" in text or text == IN_MEMORY else os.path.abspath(text)


def _file(url: URL) -> Path | None:
    # Where the database is, if that is a path.
    name = url.database
    return Path(name) if name and name != IN_MEMORY and "uri" not in url.query else None


def _check_place(path: Path) -> None:
    # SQLite says "unable to open database file" to all of these.
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"{str(path)!r} names no file, give another one: {error}"
        ) from error
    if os.path.isdir(path):  # where Path.is_dir raises what may not be asked
        raise StoreUnavailableError(f"{path} is a folder; give the path of a file in it")
    if not os.path.isdir(path.parent):
        raise StoreUnavailableError(f"there is no folder {path.parent}; create it first")


def unchanging(url: URL) -> URL | None:
    """What reads a file alone, without locks and log, where nobody can write.

    Returns:
        ``None`` if there is no such file, or its write-ahead log holds something.
    """
    if "uri" in url.query or not url.database or url.database == IN_MEMORY:
        return None
    path = Path(url.database).absolute()
    log = Path(f"{path}-wal")
    if not os.path.isfile(path) or (log.exists() and log.stat().st_size):
        return None
    options = {"uri": "true", "mode": "ro", "immutable": "1"}
    return url.set(database=path.as_uri()).update_query_dict(options)
