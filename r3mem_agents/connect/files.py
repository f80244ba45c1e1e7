"""Configuration files: read once, written whole or not at all, and only if they are as read."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from r3mem_agents.errors import InvalidInputError

MAX_BYTES = 32 << 20
"""Larger files are refused; no host has a configuration of that size. Chosen."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file as it was read.

    Attributes:
        path: Its path, behind links: a link stays one when the file is written.
        data: What is in it; ``None`` where there is no file.
    """

    path: Path
    data: bytes | None

    def text(self) -> str:
        """The text in it, nothing where there is no file.

        Raises:
            InvalidInputError: It is not UTF-8.
        """
        try:
            return (self.data or b"").decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInputError(
                f"{self.path} is not UTF-8 text (byte {error.start}); nothing was changed"
            ) from None

    def check_unchanged(self) -> None:
        """Refuse to go on where somebody has written the file since.

        Raises:
            InvalidInputError: It is not as it was read.
        """
        if read(self.path).data != self.data:
            raise InvalidInputError(
                f"{self.path} has changed since it was shown; nothing was changed; look again"
            )

    def write(self, text: str | None) -> None:
        """Put a text in its place, or nothing: the old one or the new one is there at any time.

        Raises:
            InvalidInputError: The file is not as it was read, or may not be written.
            OSError: The system refuses it.
        """
        self.check_unchanged()
        if self.data is not None:
            self.path.open("r+b").close()  # may it be written? What replaces it does not ask
        if text is None:
            self.path.unlink()
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f".{self.path.name}.{uuid4().hex[:8]}.part")
        try:
            with part.open("xb") as new:
                new.write(text.encode("utf-8"))
                new.flush()
                os.fsync(new.fileno())
            if self.data is not None:
                shutil.copymode(self.path, part)
            part.replace(self.path)
        except OSError as error:
            error.filename = str(self.path)
            raise
        finally:
            part.unlink(missing_ok=True)


def read(path: Path) -> ConfigFile:
    """Read a file that may not be there.

    Raises:
        InvalidInputError: It is no file, or larger than any configuration.
        OSError: It may not be read.
    """
    real = Path(os.path.realpath(path))
    if real.exists() and not real.is_file():
        raise InvalidInputError(f"{path} is no file; nothing was changed")
    try:
        with real.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return ConfigFile(real, None)
    if len(data) > MAX_BYTES:
        raise InvalidInputError(
            f"{path} has more than {MAX_BYTES:,} bytes: that is no configuration; nothing was "
            "changed"
        )
    return ConfigFile(real, data)
