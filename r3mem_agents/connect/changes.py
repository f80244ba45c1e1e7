"""Changes of a host's files: planned, shown, and then all made or none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from r3mem_agents.connect.files import ConfigFile, read
from r3mem_agents.connect.hosts import Wanted
from r3mem_agents.connect.invocation import is_hook, is_server
from r3mem_agents.connect.json_text import Addition, JsonText
from r3mem_agents.connect.records import Record, Records
from r3mem_agents.connect.toml_text import TomlText
from r3mem_agents.errors import InvalidInputError

CONTEXT = 3
"""Lines that a diff shows around what changes."""

BLANK = "\ufeff \t\r\n"
"""What a file without content holds at most."""

MAX_SHOWN = 300
"""Characters of a line that a diff shows; chosen."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one file.

    Attributes:
        file: The file as it was read.
        before: Its text.
        after: Its text from then on; ``None`` if there will be no file.
        record: What undoes it; ``None`` if nothing is left to undo.
        folders: Folders that go with the file, if nothing else is in them.
    """

    file: ConfigFile
    before: str
    after: str | None
    record: Record | None
    folders: tuple[str, ...] = ()

    def diff(self) -> list[str]:
        """The lines that change, with some around them."""
        old, new = self.before.splitlines(), (self.after or "").splitlines()
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new)))  # noqa: B905
        left = min(len(old), len(new)) - same
        ends = zip(reversed(old), reversed(new))  # noqa: B905
        tail = min(left, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends)))
        first = max(0, same - CONTEXT)
        last = max(0, tail - CONTEXT)
        shown = difflib.unified_diff(
            old[first : len(old) - last], new[first : len(new) - last], n=CONTEXT, lineterm=""
        )
        lines = ["…" if line.startswith("@@") else line for line in [*shown][2:]][1:]
        return [line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}…" for line in lines]


def plan(wanted: Iterable[Wanted], records: Records) -> list[Change]:
    """Say what connects a host: of each file that is not as it should be, its change.

    Raises:
        InvalidInputError: A file cannot be read as what it should be.
        OSError: It may not be read.
    """
    changes = []
    for one in wanted:
        file = read(one.path)
        before = file.text()
        after, additions = _filled(one, before)
        if additions:
            fresh = not before.strip(BLANK)
            record = records.read(file.path)
            if record is None or not _holds(one, before, record):
                blank = before if fresh and file.data is not None else None
                record = Record(fresh=fresh, blank=blank, folders=_missing(file))
            changes.append(Change(file, before, after, record.with_additions(additions)))
    return changes


def plan_undo(wanted: Iterable[Wanted], records: Records) -> list[Change]:
    """Say what takes out of a host's files what was put in, whoever changed them meanwhile.

    Raises:
        InvalidInputError: A file cannot be read as what it should be.
        OSError: It may not be read.
    """
    changes = []
    for one in wanted:
        file = read(one.path)
        if file.data is None:
            continue
        before = file.text()
        record = records.read(file.path) or Record()
        after = _emptied(one, before, record)
        if after != before:
            changes.append(Change(file, before, after, None, record.folders))
    return changes


def alone(wanted: Wanted) -> str:
    """What a file would hold if nothing else were in it."""
    return _filled(wanted, "")[0]


def make(changes: Sequence[Change], records: Records) -> None:
    """Write all files; if one cannot be written, none is changed.

    Raises:
        InvalidInputError: A file has changed since it was read.
        OSError: One may not be written.
    """
    for change in changes:
        change.file.check_unchanged()
    done: list[tuple[Change, Record | None]] = []
    try:
        for change in changes:
            before = records.read(change.file.path)
            change.file.write(change.after)
            done.append((change, before))
            records.write(change.file.path, change.record)
    except BaseException:
        for change, before in reversed(done):
            was = None if change.file.data is None else change.before
            read(change.file.path).write(was)
            with suppress(OSError):  # that of the file that it is of may be what failed
                records.write(change.file.path, before)
        raise
    for change in changes:
        if change.after is None:
            for folder in reversed(change.folders):
                with suppress(OSError):  # something else is in it
                    Path(folder).rmdir()


def _filled(wanted: Wanted, text: str) -> tuple[str, list[Addition]]:
    """The text with all that is wanted, and what was put in for it."""
    if wanted.form == "toml":
        assert wanted.server is not None
        toml = TomlText(text, str(wanted.path))
        added = toml.put(*wanted.server)
        return toml.text, [added] if added else []
    edited = JsonText(text, str(wanted.path), comments=wanted.form == "jsonc")
    additions: list[Addition | None] = []
    if wanted.version is not None and not edited.value:
        additions.append(edited.put(("version",), wanted.version))
    if wanted.server is not None:
        path, entry = wanted.server
        there = edited.find(path)
        if there is None or not isinstance(there.value, dict):
            additions.append(edited.put(path, entry))
        else:  # what the user has set beside them stays
            additions += [edited.put((*path, key), value) for key, value in entry.items()]
    for event, element in wanted.hooks.items():
        additions.append(edited.append(("hooks", event), element, is_ours))
    return edited.text, [one for one in additions if one is not None]


def _holds(wanted: Wanted, text: str, record: Record) -> bool:
    """Tell whether anything of what was put in is still there."""
    return _emptied(wanted, text, replace(record, fresh=False)) != text


def _emptied(wanted: Wanted, text: str, record: Record) -> str | None:
    """The text without what was put in; ``None`` if there was no file before."""
    if not text.strip(BLANK):
        return text
    if wanted.form == "toml":
        toml = TomlText(text, str(wanted.path))
        for one in _additions(wanted, toml.value, record):
            toml.take(one)
        return record.blank if record.fresh and not toml.text.strip(BLANK) else toml.text
    edited = JsonText(text, str(wanted.path), comments=wanted.form == "jsonc")
    for one in reversed(_additions(wanted, edited.value, record)):
        edited.take(one, is_ours if one.path[0] == "hooks" else None)
    version = next((one for one in record.additions if one.path == ("version",)), None)
    if version and edited.value.keys() == {"version"}:
        edited.take(version)
    commented = "/" in edited.text
    return record.blank if record.fresh and not edited.value and not commented else edited.text


def _additions(wanted: Wanted, value: Mapping[str, Any], record: Record) -> list[Addition]:
    """What was put in, as far as a record or the looks of it tell."""
    additions = [one for one in record.additions if one.path != ("version",)]
    server = wanted.server and wanted.server[0]
    if server and not any(one.path[: len(server)] == server for one in additions):
        entry: Any = value
        for key in server:
            entry = entry.get(key) if isinstance(entry, dict) else None
        if is_server(entry):  # and not one that somebody else has called so
            additions.insert(0, Addition(server, len(server) - 1))
    for event in wanted.hooks:
        if all(one.path != ("hooks", event) for one in additions):
            additions.append(Addition(("hooks", event), 2))
    return additions


def is_ours(element: Any) -> bool:
    """Tell whether an element of a host's hooks is one of ours.

    Raises:
        InvalidInputError: It is one of ours and one of others' as well.
    """
    if not isinstance(element, dict):
        return False
    inner = element.get("hooks", [element])
    if not isinstance(inner, list) or not inner:
        return False
    known = [isinstance(one, dict) and is_hook(str(one.get("command", ""))) for one in inner]
    if any(known) and not all(known):
        raise InvalidInputError(
            "a hook of r3mem stands in one group with others, which are not to be touched; give it "
            "a group of its own, or take it out by hand; nothing was changed"
        )
    return all(known)


def _missing(file: ConfigFile) -> tuple[str, ...]:
    return tuple(str(one) for one in reversed(file.path.parents) if not one.exists())
