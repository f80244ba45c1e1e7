"""The files of a source: one file, those in an archive, or those in a folder."""

from __future__ import annotations

import codecs
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from r3mem_agents.errors import InvalidInputError

TEXTS = {".json", ".jsonl", ".txt", ".csv"}
"""Endings of the files of an archive or folder that are looked at; others are media and pages."""

BYTE_ORDERS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class File:
    """A file, read when it is asked for.

    Attributes:
        name: Its path, as it is told of.
    """

    def __init__(self, name: str, load: Callable[[], bytes]) -> None:
        self.name = name
        self._load = load

    @property
    def stem(self) -> str:
        """Its name without folders and ending."""
        return PurePosixPath(self.name.replace("\\", "/")).stem

    @property
    def folder(self) -> str:
        """The name of the folder it lies in."""
        return PurePosixPath(self.name.replace("\\", "/")).parent.name

    @cached_property
    def data(self) -> bytes:
        """Its bytes.

        Raises:
            InvalidInputError: An archive is encrypted or damaged.
        """
        try:
            return self._load()
        except RuntimeError:  # or NotImplementedError, which is one
            raise InvalidInputError(
                f"{self.name}: encrypted, or packed in a way that is not known; unpack it first"
            ) from None
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise InvalidInputError(f"{self.name}: the archive is damaged ({error})") from None

    @cached_property
    def text(self) -> str:
        """Its text: UTF-8, or UTF-16 as its first bytes say.

        Raises:
            InvalidInputError: It is no text.
        """
        if self.data.startswith(b"SQLite format 3\0"):
            raise InvalidInputError(
                f"{self.name}: a database, and no export; if it is a memory, bring its turns "
                f"by: r3mem export --db {self.name} | r3mem import -"
            )
        encoding = next((name for mark, name in BYTE_ORDERS if self.data.startswith(mark)), "utf-8")
        if self.data[1:2] == b"\0" != self.data[:1]:
            encoding = "utf-16-le"
        elif self.data[:1] == b"\0" != self.data[1:2]:
            encoding = "utf-16-be"
        try:
            return self.data.decode(encoding)
        except UnicodeDecodeError as error:
            raise InvalidInputError(
                f"{self.name}: neither UTF-8 nor UTF-16 text (byte {error.start:,})"
            ) from None

    @property
    def utf8(self) -> bytes:
        """Its bytes as they are, or as UTF-8 where they are UTF-16 and say so."""
        said = self.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return self.text.encode() if said else self.data

    @cached_property
    def document(self) -> Any:
        """What it says if it is one JSON document, and ``None`` if it is not.

        Raises:
            InvalidInputError: It begins as one, and is broken.
        """
        if not self.text.lstrip().startswith(("[", "{")) or self.text.lstrip()[1:2].isdigit():
            return None  # a line of a chat may begin with a date in brackets
        try:
            return json.loads(self.text)
        except json.JSONDecodeError as error:
            if error.msg == "Extra data":  # JSON Lines
                return None
            raise InvalidInputError(
                f"{self.name}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}); "
                "get the file anew if it was cut off"
            ) from None
        except RecursionError:
            raise InvalidInputError(f"{self.name}: nested too deep") from None

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The objects of a JSON document that is one, or a list of them; otherwise none.

        Raises:
            InvalidInputError: It begins as JSON and is broken, or some of a list are no objects.
        """
        there = self.document if isinstance(self.document, list) else [self.document]
        found = [one for one in there if isinstance(one, dict)]
        if found and len(found) < len(there):
            place = next(n for n, one in enumerate(there, 1) if not isinstance(one, dict))
            raise InvalidInputError(f"{self.name}: number {place} of its list is no JSON object")
        return found

    @cached_property
    def first(self) -> dict[str, Any]:
        """The JSON object in its first line that is not blank; an empty one if that is none."""
        for line in io.StringIO(self.text):
            if line.strip():
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError):
                    return {}
                return value if isinstance(value, dict) else {}
        return {}

    @property
    def head(self) -> dict[str, Any]:
        """The first of its objects, or that of its first line; an empty one if there is none.

        Raises:
            InvalidInputError: As of ``objects``.
        """
        return self.objects[0] if self.objects else self.first

    def records(self, *, growing: bool = False) -> Iterator[tuple[int, Any]]:
        """Yield the JSON values of its lines, with their numbers.

        Args:
            growing: Whether it may be written to at this moment: its last line may be cut off.

        Raises:
            InvalidInputError: With the number of the first line that is not JSON.
        """
        lines = self.text.split("\n")
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                if growing and number == len(lines):
                    return
                raise InvalidInputError(
                    f"{self.name}, line {number}, column {error.colno}: not JSON ({error.msg})"
                ) from None
            except RecursionError:
                raise InvalidInputError(f"{self.name}, line {number}: nested too deep") from None


def files_in(path: str, data: bytes) -> list[File]:
    """The files in what was read: those of an archive, or itself.

    Args:
        path: What it is called.
        data: What was read.

    Raises:
        InvalidInputError: It is an archive, and damaged.
    """
    if not data.startswith(b"PK\x03\x04"):
        return [File(path, lambda: data)]
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InvalidInputError(f"{path}: the archive is damaged ({error})") from None
    members = sorted(one for one in archive.namelist() if Path(one).suffix.lower() in TEXTS)
    return [
        File(member, lambda member=member: archive.read(member))  # type: ignore[misc]
        for member in members
        if not member.startswith("__MACOSX/")
    ]


def files_under(folder: Path) -> list[File]:
    """The files in a folder, and in those in it, that are looked at."""
    found = [one for one in paths_under(folder) if one.suffix.lower() in TEXTS]
    return [File(one.relative_to(folder).as_posix(), one.read_bytes) for one in found]


def paths_under(folder: Path) -> list[Path]:
    """The paths of all files in a folder, and in those in it."""
    return sorted(one for one in folder.rglob("*") if one.is_file())
