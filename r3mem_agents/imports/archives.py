"""The files of a source: one file, those in an archive, or those in a folder."""

from __future__ import annotations

import io
import zipfile
from functools import partial
from operator import attrgetter
from pathlib import Path

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.files import ARCHIVE, File

TEXTS = (".json", ".jsonl", ".jsonl.zst", ".txt", ".csv")
"""Endings of the files of an archive or folder that are looked at; others are media and pages."""

MAX_UNPACKED = 8 << 30
"""Bytes that an archive may say its files of text have; chosen, more than a machine has memory."""


def files_in(path: str, source: Path | bytes, within: str = "") -> list[File]:
    """The files in an archive, and in archives in it, or a file itself.

    Args:
        path: What it is called.
        source: Where it lies, or what was read from it.
        within: What comes before the names of its files, where it lies in an archive or folder.

    Raises:
        InvalidInputError: It is an archive, and damaged, encrypted or too large.
        OSError: It cannot be read.
    """
    if isinstance(source, bytes):
        head = source[:4]
    else:
        with source.open("rb") as stream:
            head = stream.read(4)
    if head not in (b"PK\x03\x04", b"PK\x05\x06"):
        if isinstance(source, bytes):
            return [File(path, lambda: source)]
        return [File(path, source.read_bytes, source)]
    try:
        archive = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InvalidInputError(f"{path}: the archive is damaged ({error})") from None
    endings = TEXTS if within else (*TEXTS, ARCHIVE)
    members = [
        one
        for one in sorted(archive.infolist(), key=attrgetter("filename"))
        if one.filename.lower().endswith(endings) and not one.filename.startswith("__MACOSX/")
    ]
    if sum(one.file_size for one in members) > MAX_UNPACKED:
        raise InvalidInputError(
            f"{path}: it unpacks to more than {MAX_UNPACKED >> 30} GB; unpack it, and import what "
            "is in it part by part"
        )
    found = list[File]()
    for one in members:
        file = File(f"{within}{one.filename}", partial(archive.read, one))
        inner = file.name.lower().endswith(ARCHIVE)
        found += files_in(file.name, file.data, f"{file.name}/") if inner else [file]
    return found


def files_under(folder: Path) -> list[File]:
    """The files in a folder, and in the folders and archives in it.

    Raises:
        InvalidInputError: As of ``files_in``.
        OSError: As of it.
    """
    found = list[File]()
    for one in paths_under(folder):
        name = one.relative_to(folder).as_posix()
        if name.lower().endswith((*TEXTS, ARCHIVE)):
            is_archive = name.lower().endswith(ARCHIVE)
            found += files_in(name, one, f"{name}/") if is_archive else [File(name, one.read_bytes)]
    return found


def paths_under(folder: Path) -> list[Path]:
    """The paths of all files in a folder, and in those in it."""
    return sorted(one for one in folder.rglob("*") if one.is_file())
