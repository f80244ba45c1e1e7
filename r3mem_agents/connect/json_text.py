"""Entries put into a JSON text and taken out of it again, all else left as it is, to the byte.

Text is only ever put in between what is there. What was put before and after an entry is kept as an
``Addition``, so that taking it out leaves exactly the text that would be there without it, whatever
else was edited meanwhile.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from r3mem_agents.connect.jsonc import Entry, Node, scan
from r3mem_agents.errors import InvalidInputError

Path = tuple[str, ...]
Ours = Callable[[Any], bool]
"""Knows which element of an array is ours."""

_SPACE = " \t\r\n"
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Addition:
    """What was put into a text for one entry.

    Attributes:
        path: Keys that lead to the entry, or to the array that got an element.
        made: How many steps of the way were there already; what follows was put in as a whole.
        before: The white space that was put before it.
        after: What was put after it.
        replaced: The text of the value that was there, if no entry was put in.
    """

    path: Path
    made: int
    before: str = ""
    after: str = ""
    replaced: str | None = None


class JsonText:
    """A JSON text that is edited.

    Attributes:
        text: The text as it is now.
    """

    def __init__(self, text: str, source: str, *, comments: bool) -> None:
        """Read a text; an empty one is an empty object.

        Raises:
            InvalidInputError: It is no JSON object.
        """
        self._source, self._comments = source, comments
        self.text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        if not text.strip(_BOM + _SPACE):
            self.text = (_BOM if text.startswith(_BOM) else "") + "{}" + self._newline
        indented = re.search(r"^([ \t]+)\S", self.text, re.MULTILINE)
        self._unit = indented[1] if indented else "  "
        self._root = self._scan()

    def _scan(self) -> Node:
        return scan(self.text, self._source, comments=self._comments)

    @property
    def value(self) -> dict[str, Any]:
        """What the text means."""
        found: dict[str, Any] = self._root.value
        return found

    def find(self, path: Path) -> Node | None:
        """The value at the end of a path, if there is one.

        Raises:
            InvalidInputError: Something on the path is no object.
        """
        way = self._way(path)
        return None if way is None else way[-1].node if way else self._root

    def put(self, path: Path, value: Any) -> Addition | None:
        """Make a member of an object mean a value; one that does already is left alone.

        Raises:
            InvalidInputError: Something on the path is no object.
        """
        there = self.find(path)
        if there is None:
            return self._insert(path, value, path)
        if there.value == value:
            return None
        return self._replace(path, there, value)

    def append(self, path: Path, value: Any, ours: Ours) -> Addition | None:
        """Give an array an element, or let the one that is ours already mean the value.

        Raises:
            InvalidInputError: There is something else than an array.
        """
        array = self.find(path)
        if array is None:
            return self._insert(path, [value], path)
        if not isinstance(array.value, list):
            raise self._wrong(path, "an array")
        for entry in array.entries:
            if ours(entry.node.value):
                if entry.node.value == value:
                    return None
                return self._replace(path, entry.node, value)
        return self._add(array, None, value, Addition(path, len(path)))

    def take(self, addition: Addition, ours: Ours | None = None) -> None:
        """Take out what was put in, if it is there.

        What was made around it goes as well, unless it holds something else now.

        Args:
            addition: What was put in.
            ours: Knows the element, if it is one of an array.
        """
        way = self._way(addition.path)
        if way is not None and ours is not None:
            element = next((one for one in way[-1].node.entries if ours(one.node.value)), None)
            way = None if element is None else [*way, element]
        if way is None:
            return
        if addition.replaced is not None:
            node = way[-1].node
            self._edit([(node.start, node.end, addition.replaced)])
            return
        place = len(way) - 1
        while place > addition.made and self._holds_only(way[place - 1].node, way[place]):
            place -= 1
        above = way[place - 1].node if place else self._root
        self._cut(above, way[place], addition if place == addition.made else None)

    def _holds_only(self, node: Node, entry: Entry) -> bool:
        around = self.text[node.start + 1 : entry.start] + self.text[entry.node.end : node.end - 1]
        return len(node.entries) == 1 and not around.strip(_SPACE + ",")

    def _wrong(self, path: Path, wanted: str) -> InvalidInputError:
        return InvalidInputError(
            f"{self._source}: {'.'.join(path)} is not {wanted}; nothing was changed"
        )

    def _way(self, path: Path) -> list[Entry] | None:
        """The members that a path leads through, if it leads somewhere."""
        node, way = self._root, []
        for place, key in enumerate(path):
            if not isinstance(node.value, dict):
                raise self._wrong(path[:place], "an object")
            # Of keys that are there twice the last one counts.
            entry = next((one for one in reversed(node.entries) if one.key == key), None)
            if entry is None:
                return None
            way.append(entry)
            node = entry.node
        return way

    def _insert(self, path: Path, value: Any, whole: Path) -> Addition:
        """Put a member in, with the objects around it that are missing."""
        above = self.find(path[:-1])
        if above is None:
            return self._insert(path[:-1], {path[-1]: value}, whole)
        if not isinstance(above.value, dict):
            raise self._wrong(path[:-1], "an object")
        return self._add(above, path[-1], value, Addition(whole, len(path) - 1))

    def _add(self, node: Node, key: str | None, value: Any, addition: Addition) -> Addition:
        """Put an entry behind the others of an object or array."""
        inner = self._indent(node.start) + self._unit
        before, after, spread = self._newline + inner, "", True
        edits: list[tuple[int, int, str]] = []
        if node.entries:
            last = node.entries[-1]
            spread = "\n" in self.text[node.start : last.start]
            if spread:
                inner = self._indent(last.start)
                before = self._newline + inner
            elif "//" not in self.text[last.node.end : node.tail]:
                before = " "
            if last.comma is None:
                edits.append((last.node.end, last.node.end, ","))
            else:
                after = ","
        elif "\n" not in self.text[node.tail : node.end]:
            after = self._newline + self._indent(node.start)
        label = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
        shown = label + self._rendered(value, inner if spread else None)
        self._edit([*edits, (node.tail, node.tail, before + shown + after)])
        return replace(addition, before=before, after=after)

    def _replace(self, path: Path, node: Node, value: Any) -> Addition:
        old = self.text[node.start : node.end]
        indent = self._indent(node.start) if "\n" in old else None
        self._edit([(node.start, node.end, self._rendered(value, indent))])
        return Addition(path, len(path), replaced=old)

    def _cut(self, node: Node, entry: Entry, addition: Addition | None) -> None:
        """Take an entry out, with the comma and the white space that belong to it."""
        place = next(number for number, one in enumerate(node.entries) if one is entry)
        lead = self.text[: entry.start]
        space = lead[len(lead.rstrip(_SPACE)) :]
        if addition and addition.before and space.endswith(addition.before):
            space = addition.before
        edits = [(entry.start - len(space), entry.node.end, "")]
        rest = self.text[entry.node.end :]
        if entry.comma is not None:
            edits.append((entry.comma, entry.comma + 1, ""))
        elif place:
            comma = node.entries[place - 1].comma
            assert comma is not None
            edits.append((comma, comma + 1, ""))
        elif addition and not addition.after.strip(_SPACE) and rest.startswith(addition.after):
            edits[0] = (edits[0][0], entry.node.end + len(addition.after), "")
        self._edit(edits)

    def _edit(self, edits: Sequence[tuple[int, int, str]]) -> None:
        for start, end, new in reversed(sorted(edits, key=lambda edit: edit[0])):
            self.text = self.text[:start] + new + self.text[end:]
        self._root = self._scan()

    def _indent(self, place: int) -> str:
        """The white space that begins the line of a place."""
        line = self.text[self.text.rfind("\n", 0, place) + 1 : place].lstrip("\ufeff")
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _rendered(self, value: Any, indent: str | None) -> str:
        if indent is None:
            return json.dumps(value, ensure_ascii=False)
        shown = json.dumps(value, ensure_ascii=False, indent=self._unit)
        return shown.replace("\n", self._newline + indent)
