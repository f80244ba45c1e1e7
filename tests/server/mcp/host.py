"""A host that talks to ``r3mem mcp`` line by line, so that a test can break off anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.server.mcp.calling import ROOT

HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


class Host:
    """A server in a process of its own, and the pipes to it.

    Args:
        arguments: What Python runs.
        checkpoint: Folder of the model.
    """

    def __init__(self, arguments: Sequence[str], checkpoint: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
            | {"R3MEM_MODEL": str(checkpoint), "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.lines: list[dict[str, Any]] = []
        self._asked = 0

    @classmethod
    def of(cls, checkpoint: Path, db: Path, *options: str) -> Self:
        """A host of ``r3mem mcp`` on a file, after the greetings."""
        host = cls(["-m", "r3mem_agents", "mcp", "--db", str(db), *options], checkpoint)
        host.greet()
        return host

    def greet(self) -> None:
        """Say hello, and wait for the answer."""
        self.answer(self.ask("initialize", HELLO))
        self._send({"method": "notifications/initialized"})

    def ask(self, method: str, params: dict[str, Any]) -> int:
        """Send a request, and return its id."""
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": params})
        return self._asked

    def ask_tool(self, tool: str, **arguments: Any) -> int:
        """Send a call of a tool, and return its id."""
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def answer(self, id: int) -> dict[str, Any]:
        """Read until a request is answered."""
        while not any(line.get("id") == id for line in self.lines):
            line = self.process.stdout.readline() if self.process.stdout else b""
            assert line, self.process.stderr.read() if self.process.stderr else b""
            self.lines.append(json.loads(line))
        [found] = (line for line in self.lines if line.get("id") == id)
        return found

    def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool, and return what it returns."""
        result = self.answer(self.ask_tool(tool, **arguments))["result"]
        assert not result["isError"], result
        return result["structuredContent"]

    def end(self) -> tuple[int, bytes]:
        """Close stdin, and return the exit code and what is left on stdout."""
        rest, errors = self.process.communicate()
        assert b"Traceback" not in errors, errors.decode()
        return self.process.returncode, rest

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message | {"jsonrpc": "2.0"}).encode() + b"\n")
        self.process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            with suppress(BrokenPipeError):  # what the process did not read any more
                pipe.close()
        self.process.wait()
