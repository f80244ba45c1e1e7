"""A table put at the end of a TOML text and taken out of it again, all else left as it is.

The standard library reads TOML but does not write it. One table at the end needs no writer: it is
text, and what was read before and after is compared.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from r3mem_agents.connect.json_text import Addition, Path
from r3mem_agents.errors import InvalidInputError

_HEADER = re.compile(r"^[ \t]*\[.*$", re.MULTILINE)


class TomlText:
    """A TOML text that is edited.

    Attributes:
        text: The text as it is now.
    """

    def __init__(self, text: str, source: str) -> None:
        """Read a text.

        Raises:
            InvalidInputError: It is no TOML.
        """
        self.text, self._source = text, source
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self.value = self._read(text)

    def put(self, path: Path, value: Mapping[str, Any]) -> Addition | None:
        """Make a table mean a value; one that does already is left alone.

        Raises:
            InvalidInputError: It stands there in another form than as a table of its own.
        """
        there = self._find(path)
        if there is not None:
            if {**there, **value} == there:
                return None
            start, end = self._block(path)
            if there.keys() - value.keys():
                raise InvalidInputError(
                    f"{self._source}: [{'.'.join(path)}] has settings of your own; change it by "
                    "hand, or take it out with --undo first; nothing was changed"
                )
            old = self.text[start:end]
            self._become(self.text[:start] + self._rendered(path, value) + self.text[end:])
            return Addition(path, len(path), replaced=old)
        ended = self.text.endswith(("\n", "\r")) or not self.text
        before = self._newline * (1 if ended else 2) if self.text else ""
        after = self._newline if ended else ""
        try:
            self._become(self.text + before + self._rendered(path, value) + after)
        except InvalidInputError:
            raise InvalidInputError(
                f"{self._source}: {path[0]} is written in a form that a table "
                f"[{'.'.join(path)}] cannot be added to; add it by hand; nothing was changed"
            ) from None
        return Addition(path, 0, before, after)

    def take(self, addition: Addition) -> None:
        """Take out what was put in, with the tables below it, if it is there.

        Raises:
            InvalidInputError: It stands there in another form than as a table of its own.
        """
        if self._find(addition.path) is None:
            return
        start, end = self._block(addition.path)
        if addition.replaced is not None:
            self._become(self.text[:start] + addition.replaced + self.text[end:])
            return
        before, after = addition.before, addition.after
        start -= len(before) if self.text[:start].endswith(before) else 0
        end += len(after) if self.text[end:].startswith(after) else 0
        self._become(self.text[:start] + self.text[end:])
        while self._find(addition.path) is not None:
            self._become("".join(self._around(addition.path)))

    def _around(self, path: Path) -> tuple[str, str]:
        start, end = self._block(path, below=True)
        return self.text[:start], self.text[end:].removeprefix(self._newline)

    def _become(self, text: str) -> None:
        self.value = self._read(text)
        self.text = text

    def _read(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text.removeprefix("\ufeff"))
        except tomllib.TOMLDecodeError as error:
            raise InvalidInputError(
                f"{self._source}: not TOML: {error}; nothing was changed"
            ) from None
        except RecursionError:
            raise InvalidInputError(
                f"{self._source}: nested too deep; nothing was changed"
            ) from None

    def _find(self, path: Path) -> dict[str, Any] | None:
        found: Any = self.value
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else None

    def _block(self, path: Path, *, below: bool = False) -> tuple[int, int]:
        """Where a table stands, from its header to the end of its last line that says something."""
        name = r"[ \t]*\.[ \t]*".join(rf"(?:\"?{re.escape(key)}\"?)" for key in path)
        wanted = re.compile(rf"[ \t]*\[[ \t]*{name}[ \t]*" + (r"[\].]" if below else r"\]"))
        for header in _HEADER.finditer(self.text):
            if wanted.match(header[0]) and self._is_outside(header.start()):
                following = _HEADER.search(self.text, header.end())
                stop = following.start() if following else len(self.text)
                lines = self.text[header.start() : stop].splitlines(keepends=True)
                while lines[1:] and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
                    lines.pop()
                return header.start(), header.start() + len("".join(lines).rstrip("\r\n"))
        raise InvalidInputError(
            f"{self._source}: {'.'.join(path)} is no table of its own; change it by hand; nothing "
            "was changed"
        )

    def _is_outside(self, place: int) -> bool:
        """Whether a place is not within a text of several lines."""
        try:
            tomllib.loads(self.text[:place].removeprefix("\ufeff"))
        except tomllib.TOMLDecodeError:
            return False
        return True

    def _rendered(self, path: Path, value: Mapping[str, Any]) -> str:
        # JSON's strings and arrays of strings are TOML's, but for a character that no path has.
        lines = [f"{key} = {json.dumps(one, ensure_ascii=False)}" for key, one in value.items()]
        return self._newline.join([f"[{'.'.join(path)}]", *lines])
