"""What was put into which file, so that it can be taken out again without a trace.

A record holds nothing of what else is in the file: a configuration may hold secrets.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from r3mem_agents.connect.json_text import Addition


@dataclass(frozen=True, slots=True)
class Record:
    """What was done to one file.

    Attributes:
        additions: What was put in, in that order.
        fresh: Whether nothing was in the file before.
        blank: Its text then, white space at most; ``None`` where there was no file.
        folders: Folders that were made for it, the outermost first.
    """

    additions: tuple[Addition, ...] = ()
    fresh: bool = False
    blank: str | None = None
    folders: tuple[str, ...] = ()

    def with_additions(self, new: list[Addition]) -> Record:
        """The record once more was put in; of a value replaced twice the first one stays."""
        known = {one.path for one in self.additions}
        new = [one for one in new if one.replaced is None or one.path not in known]
        anew = {one.path for one in new}
        kept = [one for one in self.additions if one.path not in anew]
        return replace(self, additions=(*kept, *new))


class Records:
    """Records of all files, in a folder of the user's."""

    def __init__(self, home: Path) -> None:
        self._folder = home / ".r3mem" / "connected"

    def _path(self, file: Path) -> Path:
        return self._folder / f"{hashlib.sha256(str(file).encode()).hexdigest()[:16]}.json"

    def read(self, file: Path) -> Record | None:
        """The record of a file, if there is one that can be read."""
        try:
            found = json.loads(self._path(file).read_text(encoding="utf-8"))
            additions = [
                Addition(**{**one, "path": tuple(one["path"])}) for one in found["additions"]
            ]
            folders = tuple(map(str, found["folders"]))
            return Record(tuple(additions), bool(found["fresh"]), found["blank"], folders)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, file: Path, record: Record | None) -> None:
        """Keep the record of a file, or remove it."""
        path = self._path(file)
        if record is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(record) | {"file": str(file)}), encoding="utf-8")
