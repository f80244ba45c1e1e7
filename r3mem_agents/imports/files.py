"""A file of a source: its bytes, its text, and the JSON in it."""

from __future__ import annotations

import codecs
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from r3mem_agents.errors import InvalidInputError

ARCHIVE = ".zip"
"""Ending of the archives in an archive or folder; those in these are not looked into."""

SQLITE = b"SQLite format 3\0"
ZSTD = b"\x28\xb5\x2f\xfd"

BYTE_ORDERS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class File:
    """A file, read when it is asked for.

    Attributes:
        name: Its path, as it is told of.
        path: Where it lies, if it is no part of an archive.
    """

    def __init__(self, name: str, load: Callable[[], bytes], path: Path | None = None) -> None:
        self.name = name
        self.path = path
        self._load = load

    @property
    def stem(self) -> str:
        """Its name without folders and ending."""
        return PurePosixPath(self.name.replace("\\", "/")).stem

    @property
    def pattern(self) -> str:
        """Its name without folders and numbers, in which parts of one export are alike."""
        return re.sub(r"\d+", "", PurePosixPath(self.name).name)

    @property
    def folder(self) -> str:
        """The name of the folder or archive it lies in."""
        name = PurePosixPath(self.name.replace("\\", "/")).parent.name
        return name.removesuffix(ARCHIVE)

    @cached_property
    def data(self) -> bytes:
        """Its bytes.

        Raises:
            InvalidInputError: It is encrypted or damaged, or packed by Zstandard, and what unpacks
                that is not installed.
        """
        return self._bytes()

    def forget(self) -> None:
        """Give back the memory that its bytes and its text take; they can be read again."""
        for name in ("data", "text"):
            self.__dict__.pop(name, None)

    def _bytes(self) -> bytes:
        try:
            data = self._load()
        except RuntimeError:  # or NotImplementedError, which is one
            raise InvalidInputError(
                f"{self.name}: encrypted, or packed in a way that is not known; unpack it first"
            ) from None
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise InvalidInputError(f"{self.name}: the archive is damaged ({error})") from None
        return _unpacked(data, self.name) if data.startswith(ZSTD) else data

    @cached_property
    def text(self) -> str:
        """Its text: UTF-8, or UTF-16 as its first bytes say.

        Raises:
            InvalidInputError: It is no text.
        """
        if self.data.startswith(SQLITE):
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
                f"{self.name}: neither UTF-8 nor UTF-16 text (byte {error.start:,}); if it is one, "
                "save it as UTF-8"
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
        except ValueError as error:  # a number of more than 4,300 digits
            raise InvalidInputError(f"{self.name}: {error}") from None

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
        head = next((line for line in io.BytesIO(self.utf8) if line.strip()), b"")
        if not head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            return {}
        try:
            value = json.loads(head.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def head(self) -> dict[str, Any]:
        """The first of its objects, or that of its first line; an empty one if there is none.

        Raises:
            InvalidInputError: As of ``objects``.
        """
        return self.objects[0] if self.objects else self.first

    def records(self) -> Iterator[tuple[int, Any]]:
        """Yield the JSON values of its lines, with their numbers.

        Raises:
            InvalidInputError: With the number of the first line that is not JSON.
        """
        for number, line in enumerate(self.text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                raise InvalidInputError(
                    f"{self.name}, line {number}, column {error.colno}: not JSON ({error.msg})"
                ) from None
            except (RecursionError, ValueError) as error:
                reason = "nested too deep" if isinstance(error, RecursionError) else error
                raise InvalidInputError(f"{self.name}, line {number}: {reason}") from None

    def logged(self) -> Iterator[tuple[int, Any]]:
        """Yield the JSON values of the lines of a log, with their numbers; its bytes are not kept.

        A program that is stopped leaves a line that is cut off, and ``None`` stands for one; the
        last may be written at this moment, and is left out.
        """
        for number, line in enumerate(io.BytesIO(self._bytes()), 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                if line.endswith(b"\n"):
                    yield number, None


def _unpacked(data: bytes, name: str) -> bytes:
    """What was packed by Zstandard, as Codex packs logs that are a week old."""
    try:
        import zstandard  # noqa: PLC0415 (not everybody needs it)
    except ImportError:
        raise InvalidInputError(
            f"{name}: packed by Zstandard, which needs a package; run: pip install zstandard"
        ) from None
    try:
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as stream:
            return bytes(stream.read())
    except zstandard.ZstdError as error:
        raise InvalidInputError(f"{name}: the archive is damaged ({error})") from None
