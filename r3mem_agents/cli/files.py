"""Files that commands are told to write, and what the system says when it refuses one."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from r3mem_agents.errors import InvalidInputError

DATABASE = b"SQLite format 3\0"
"""What every SQLite file begins with, a memory too."""

REFUSALS = {
    errno.ENOENT: "there is no such file or folder; check the path, or create its folder first",
    errno.EISDIR: "it is a folder; give the path of a file",
    errno.ENOTDIR: "a part of this path is a file; give a path through folders",
    errno.EEXIST: "there is a file already; give another path",
    errno.EACCES: "permission denied; check who owns the file and its folder, or give another path",
    errno.EPERM: "permission denied; check who owns the file and its folder, or give another path",
    errno.EROFS: "the disk can only be read; give a path on another one",
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.ENAMETOOLONG: "the name is too long; give a shorter one",
}
"""What to say and to do when the system refuses a file."""


def refusal(error: OSError) -> str:
    """Say which file the system refused, why, and what to do."""
    if error.errno is None:
        return str(error)
    why = REFUSALS.get(error.errno, error.strerror or str(error))
    return f"{os.fsdecode(_name(error.filename))}: {why}"


def _name(filename: object) -> str | bytes:
    # The system names no file where one that is open already is written: that is the output.
    return filename if isinstance(filename, str | bytes) and filename else "the output"


@contextmanager
def replaced(path: str) -> Iterator[BinaryIO]:
    """Write a file; one that is there already stays as it is until the new one is whole.

    Args:
        path: A file, which is replaced, or a device or pipe, which is written to.

    Raises:
        InvalidInputError: A database is there: nobody wants a memory replaced by its export.
        OSError: With ``path`` as its name.
    """
    target = Path(path).resolve()
    part = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    try:
        if target.exists() and not target.is_file():
            with target.open("wb") as sink:
                yield sink
            return
        _spare_databases(path)
        with part.open("xb") as sink:
            yield sink
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except OSError as error:
        error.filename = path
        raise
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def created(path: str) -> Iterator[BinaryIO]:
    """Write a file where none is yet; it is there before the block begins, and goes if that fails.

    Args:
        path: Where no file is.

    Raises:
        OSError: With ``path`` as its name.
    """
    target = Path(path)
    try:
        with target.open("xb") as sink:
            try:
                yield sink
            except BaseException:
                target.unlink(missing_ok=True)
                raise
            sink.flush()
            os.fsync(sink.fileno())
    except OSError as error:
        error.filename = error.filename or path
        raise


def _spare_databases(path: str) -> None:
    with suppress(FileNotFoundError), Path(path).open("rb") as there:
        if there.read(len(DATABASE)) == DATABASE:
            raise InvalidInputError(
                f"{path} is a database, and is left as it is; give another path"
            )
