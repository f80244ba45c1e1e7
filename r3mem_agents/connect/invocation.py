"""The command lines that a host starts: from any folder, for one memory of one user."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from r3mem_agents.errors import InvalidInputError
from r3mem_agents.types import IN_MEMORY
from r3mem_agents.validation import check_name

_URL = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Invocation:
    """How this environment's ``r3mem`` is started for one memory.

    Attributes:
        program: The command, without a verb.
        db: Path or URL of the memory.
        options: What else says whose memory it is, and its model.
    """

    program: tuple[str, ...]
    db: str
    options: tuple[str, ...]

    @property
    def place(self) -> tuple[str, ...]:
        """The options of every verb."""
        return ("--db", self.db, *self.options)

    def server(self, *, captured: bool = False) -> tuple[str, list[str]]:
        """The program and the arguments that serve the memory on stdio.

        Args:
            captured: Whether hooks of the host remember every turn.
        """
        program, *before = self.program
        return program, [*before, "mcp", *self.place, *(["--captured"] if captured else [])]

    def hook(self) -> str:
        """The line of a shell that takes a host's event on stdin."""
        words = [*self.program, "hook", *self.place]
        return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def invocation(
    db: str, *, user: str, agent: str | None = None, model: str | None = None
) -> Invocation:
    """Say how this environment's ``r3mem`` is started from anywhere.

    Args:
        db: Path or URL of the memory.
        user: Whose memory it is.
        agent: The agent that remembers; ``None`` leaves it to the command.
        model: Checkpoint name or folder; ``None`` likewise.

    Raises:
        InvalidInputError: The memory has no file, so that no two processes could share it, or the
            command cannot be written into a text.
    """
    options = ["--user", check_name(user, "user")]
    if agent is not None:
        options += ["--agent", check_name(agent, "agent")]
    if model is not None:
        options += ["--model", _absolute(model) if Path(model).exists() else model]
    made = Invocation(_program(), _file(db), tuple(options))
    line = made.hook()
    if line.encode("utf-8", "ignore").decode() != line:
        raise InvalidInputError(f"{line!r} has bytes that are no UTF-8 text; give another path")
    return made


def _file(db: str) -> str:
    path = db.removeprefix(_URL)
    if path != db and "?" in path:  # a URI of SQLite's, which names its file itself
        return db
    if "://" in path:
        raise InvalidInputError(f"{db!r} is not supported; give a path or a {_URL} URL")
    if path in ("", IN_MEMORY):
        raise InvalidInputError(f"{db!r} is gone when a command ends; give --db a file")
    return _absolute(path)


def _program() -> tuple[str, ...]:
    """The installed command if there is one, or the interpreter with the module."""
    name = "r3mem.exe" if os.name == "nt" else "r3mem"
    script = Path(sysconfig.get_path("scripts")) / name
    if script.is_file():
        return (_posix(script),)
    return (_posix(Path(sys.executable)), "-m", "r3mem_agents")


def _absolute(path: str) -> str:
    return _posix(Path(path).expanduser().absolute())


def _posix(path: Path) -> str:
    # Git Bash, in which hosts on Windows run hooks, takes a backslash for an escape.
    return path.as_posix()


def is_hook(line: str) -> bool:
    """Tell whether a command is a hook of ours, of whichever environment and memory."""
    words = _words(line)
    return any(
        words[place] == "hook" and _is_ours(words[:place]) for place in range(1, len(words) - 1)
    )


def is_server(entry: Any) -> bool:
    """Tell whether an entry of a host's servers is one of ours, of whichever environment."""
    if not isinstance(entry, dict):
        return False
    arguments = entry.get("args")
    words = [entry.get("command"), *(arguments if isinstance(arguments, list) else [])]
    return "mcp" in words[1:] and _is_ours([*map(str, words[: words.index("mcp", 1)])])


def _words(line: str) -> list[str]:
    # A shell's, or what a person made of it.
    line = line.replace("\\", "/")
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _is_ours(words: Sequence[str]) -> bool:
    last = words[-1].replace("\\", "/").removesuffix(".exe")
    return last.endswith("/r3mem") or last == "r3mem" or [*words[-2:]] == ["-m", "r3mem_agents"]
