"""Brings copies of a file to this format, and dies in one after each of the statements it takes.

python -m tests.store.migrator FOLDER FILE, in a process of its own: it forks.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from functools import partial
from pathlib import Path
from typing import Any

from r3mem_agents.store import Store


def die_after(count: int) -> None:
    """Die when so many statements were executed, by whatever connection."""
    done: list[str] = []

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            return told(super().execute(*arguments), arguments[0])

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            return told(super().executemany(*arguments), arguments[0])

    def told(cursor: sqlite3.Cursor, statement: str) -> sqlite3.Cursor:
        done.append(statement)
        if len(done) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return cursor

    vars(sqlite3)["connect"] = partial(sqlite3.connect, factory=Connection)


def main(folder: Path, file: Path) -> None:
    """Leave a copy for each statement, named by its number."""
    for count in range(1, 1000):
        copy = folder / f"{count}.db"
        shutil.copy(file, copy)
        if not (child := os.fork()):
            die_after(count)
            Store(copy).close()
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            copy.unlink()
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
