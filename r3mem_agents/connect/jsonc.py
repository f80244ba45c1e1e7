"""JSON, with comments and trailing commas where a host reads them, and where each value stands.

The standard library's ``json`` gives values without their places; a configuration that is edited in
place, and keeps all else byte for byte, needs both.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from r3mem_agents.errors import InvalidInputError

MAX_DEPTH = 200
"""Levels of nesting that are followed; chosen."""

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n\ufeff]+)|(?P<comment>//[^\r\n]*|/\*.*?\*/)"
    r'|(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")|(?P<mark>[{}\[\],:])'
    r"|(?P<word>-?[0-9][0-9.eE+-]*|true|false|null)",
    re.DOTALL,
)
_CLOSERS = {"{": "}", "[": "]"}


@dataclass(slots=True)
class Node:
    """A value in a text.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        value: What it means.
        entries: Of an object or array what is in it, in the order of the text.
        tail: Of an object or array where its last token before the closing bracket ends.
    """

    start: int
    end: int = -1
    value: Any = None
    entries: list[Entry] = field(default_factory=list)
    tail: int = -1


@dataclass(slots=True)
class Entry:
    """A member of an object, or an element of an array.

    Attributes:
        start: Where it begins, with its key if it has one.
        key: The key of a member.
        node: The value.
        comma: Where the comma after it stands, if there is one.
    """

    start: int
    key: str | None
    node: Node
    comma: int | None = None


class _Scanner:
    """Reads one text, token by token, without recursion."""

    def __init__(self, text: str, source: str, comments: bool) -> None:
        self.text, self.source, self.comments = text, source, comments
        self.kind, self.token, self.start, self.end = "", "", 0, 0
        self.before = 0  # where the last token or comment ends
        self.advance()

    def fail(self, reason: str, place: int) -> InvalidInputError:
        line = self.text.count("\n", 0, place) + 1
        column = place - self.text.rfind("\n", 0, place)
        return InvalidInputError(
            f"{self.source}, line {line}, column {column}: {reason}; nothing was changed"
        )

    def advance(self) -> None:
        """Go to the next token."""
        while True:
            self.start = self.end
            if self.start == len(self.text):
                self.kind, self.token = "end", ""
                return
            found = _TOKEN.match(self.text, self.start)
            if found is None:
                shown = self.text[self.start : self.start + 10].split("\n")[0]
                raise self.fail(f"not JSON ({shown!r})", self.start)
            self.kind, self.token, self.end = found.lastgroup or "", found[0], found.end()
            if self.kind == "comment":
                if not self.comments:
                    raise self.fail("a comment, which this host does not read", self.start)
                self.before = self.end
            elif self.kind != "space":
                return

    def take(self) -> None:
        """Leave a token behind."""
        self.before = self.end
        self.advance()

    def scalar(self) -> Any:
        """What a string, number or word means."""
        try:
            return json.loads(self.token)
        except ValueError:
            raise self.fail(f"not JSON ({self.token[:20]!r})", self.start) from None

    def whole(self) -> Node:
        """Read the text."""
        root = self.opened()
        open_nodes = [root] if root.end < 0 else []
        while open_nodes:
            node = open_nodes[-1]
            if self.kind == "mark" and self.token == _CLOSERS[self.text[node.start]]:
                self.close(node)
                open_nodes.pop()
                if open_nodes:
                    self.comma_after(open_nodes[-1])
                continue
            child = self.entry(node)
            if child.end < 0:
                open_nodes.append(child)
                if len(open_nodes) > MAX_DEPTH:
                    raise self.fail("nested too deep", child.start)
            else:
                self.comma_after(node)
        if self.kind != "end":
            raise self.fail(f"more after the end ({self.token!r})", self.start)
        return root

    def opened(self) -> Node:
        """Read a scalar whole, or the bracket that opens an object or array."""
        node = Node(self.start)
        if self.kind == "mark" and self.token in _CLOSERS:
            node.value = {} if self.token == "{" else []
        elif self.kind in ("string", "word"):
            node.value, node.end = self.scalar(), self.end
        else:
            told = f"{self.token!r}" if self.token else "the end"
            raise self.fail(f"{told} where a value should be", self.start)
        self.take()
        return node

    def entry(self, node: Node) -> Node:
        """Read what an object or array holds next, if it is an object itself only its bracket."""
        start, key = self.start, None
        if isinstance(node.value, dict):
            if self.kind != "string":
                told = f"{self.token!r}" if self.token else "the end"
                raise self.fail(f"{told} where a key should be", self.start)
            key = self.scalar()
            self.take()
            if self.token != ":":
                raise self.fail("no colon after a key", self.start)
            self.take()
        child = self.opened()
        node.entries.append(Entry(start, key, child))
        if key is None:
            node.value.append(child.value)
        else:
            node.value[key] = child.value
        return child

    def comma_after(self, node: Node) -> None:
        """Read the comma after an entry, where there must be one."""
        closer = _CLOSERS[self.text[node.start]]
        if self.kind == "mark" and self.token == ",":
            node.entries[-1].comma = self.start
            self.take()
            if self.token == closer and self.kind == "mark" and not self.comments:
                raise self.fail("a comma before the end, which this host does not read", self.start)
        elif self.kind != "mark" or self.token != closer:
            told = f"{self.token!r}" if self.token else "the end"
            raise self.fail(f"{told} where a comma or {closer!r} should be", self.start)

    def close(self, node: Node) -> None:
        """Read the bracket that ends an object or array."""
        node.tail, node.end = self.before, self.end
        self.take()


def scan(text: str, source: str, *, comments: bool) -> Node:
    """Read a configuration with the places of its values.

    Args:
        text: The whole of it.
        source: Names it in errors.
        comments: Whether its host reads comments and trailing commas.

    Raises:
        InvalidInputError: It is no JSON, or no object, with the line and column of the first fault.
    """
    scanner = _Scanner(text, source, comments)
    root = scanner.whole()
    if not isinstance(root.value, dict):
        raise scanner.fail("not an object", root.start)
    return root
