"""Where a database is: a path or a URL, and what opens it there."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from r3mem_agents.errors import InvalidInputError, NotFoundError, StoreUnavailableError
from r3mem_agents.types import IN_MEMORY


class Place(NamedTuple):
    """Where a database is.

    Attributes:
        name: A path, ``":memory:"``, or what SQLite calls a URI, without its query.
        query: Of the URI; ``None`` if it is none.
    """

    name: str
    query: str | None = None

    @property
    def is_uri(self) -> bool:
        """Whether SQLite is given a URI."""
        return self.query is not None

    @property
    def in_memory(self) -> bool:
        """Whether there is no file."""
        return self.name == IN_MEMORY

    @property
    def file(self) -> Path | None:
        """Where the file is, if that is a path."""
        return None if self.is_uri or self.in_memory else Path(self.name)

    @property
    def target(self) -> str:
        """What SQLite opens."""
        return f"{self.name}?{self.query}" if self.is_uri else self.name

    @property
    def path(self) -> str:
        """The path in the name."""
        if not self.is_uri:
            return self.name
        return unquote(re.sub(r"^file:(//[^/]*)?|#.*", "", self.name)).partition("\0")[0]

    def absolute(self) -> Place:
        """The same place in any working directory."""
        return self if self.is_uri or self.in_memory else Place(os.path.abspath(self.name))


_URI = "uri=true"
"""Says in a URL that a URI of SQLite's follows."""


def locate(where: str | os.PathLike[str]) -> Place:
    """The place that a path or a URL names.

    Args:
        where: A path; or ``sqlite:///`` before one, or before a URI of SQLite's and its query, of
            which ``uri=true`` is a part then.

    Raises:
        InvalidInputError: If it is neither, or the URL of another database.
        StoreUnavailableError: If no file can be there.
    """
    if not isinstance(where, str | os.PathLike):
        raise InvalidInputError(
            f"a memory is opened by a path or a sqlite:/// URL, not {type(where).__name__}"
        )
    text = os.fspath(where)
    if not isinstance(text, str) or not text.strip():
        raise InvalidInputError(f"the path of a memory is {text!r}; give one like 'alice.db'")
    if text.encode("utf-8", "ignore").decode("utf-8") != text:  # SQLite takes no other
        raise InvalidInputError(f"{text!r} has bytes that are no UTF-8 text; give another path")
    place = _parsed(text) if "://" in text else Place(text)
    if place.file:
        _check_place(place.file)
    return place


def _parsed(url: str) -> Place:
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite" or (rest and not rest.startswith("/")):
        raise InvalidInputError(f"{url!r} is not supported; give a path or a sqlite:/// URL")
    name, _, query = rest[1:].partition("?")
    if not query:
        return Place(name or IN_MEMORY)
    options = query.split("&")
    if _URI not in options or not name.startswith("file:"):
        raise InvalidInputError(
            f"{url!r} has options that only a URI of SQLite's has; give it as "
            f"sqlite:///file:PATH?OPTIONS&{_URI}"
        )
    _check_uri(url, name, options)
    return Place(name, "&".join(option for option in options if option != _URI))


def _check_uri(url: str, name: str, options: Sequence[str]) -> None:
    # Of what SQLite takes, these would be another database for each connection.
    path = Place(name, "").path
    alone = "mode=memory" in options and "cache=shared" not in options
    if not path or path == IN_MEMORY or alone:
        raise InvalidInputError(f"{url!r} names no file; give a path, or {IN_MEMORY!r} for none")


def check_there(where: str | os.PathLike[str]) -> None:
    """Refuse a path or URL of a file that does not exist.

    Raises:
        NotFoundError: If there is none.
    """
    if file := locate(where).file:
        _check_file(file)


def _check_file(file: Path) -> None:
    if not file.exists():
        raise NotFoundError(f"there is no memory at {file}; give the path of one")


def free_path(path: str | os.PathLike[str]) -> Path:
    """Where a new file can be written.

    Raises:
        InvalidInputError: If it is no path, or a file is there already.
        StoreUnavailableError: If no file can be there.
    """
    place = locate(path)
    text = os.fspath(path)
    if "://" in text or place.in_memory:
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


def readable(place: Place) -> Place:
    """What opens a database to read it, together with whoever writes to it.

    Raises:
        InvalidInputError: If there is no file.
        NotFoundError: If there is none at its path.
    """
    if place.in_memory:
        raise InvalidInputError("a memory without a file is empty; read_only=True takes a path")
    if place.file is None:
        return Place(place.name, f"{place.query}&mode=ro")
    _check_file(place.file)
    return Place(place.file.absolute().as_uri(), "mode=ro")


def unchanging(place: Place) -> Place | None:
    """What reads a file alone, without locks and log, where nobody can write.

    Returns:
        ``None`` if there is no such file, or its write-ahead log holds something.
    """
    if place.file is None:
        return None
    path = place.file.absolute()
    log = Path(f"{path}-wal")
    if not os.path.isfile(path) or (log.exists() and log.stat().st_size):
        return None
    return Place(path.as_uri(), "immutable=1&mode=ro")
