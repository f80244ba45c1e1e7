"""The same load twice: on ``r3mem serve``, and on memories in one process."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.load.clients import Client, Seen, run_all
from benchmarks.load.doors import Door, InProcess, OverHttp
from benchmarks.processes import Advance, peak_bytes
from benchmarks.synthetic import demo_texts
from benchmarks.timing import spread
from r3mem_agents import CompressiveMemory
from r3mem_agents.memory.handle import OpenFile
from r3mem_agents.server.tokens import Tokens

RATE = "1000000/second"
"""Limit of the server: none."""


@dataclass(frozen=True, slots=True)
class Task:
    """A load.

    Attributes:
        db: The file, which is made.
        model: Checkpoint name or folder.
        clients: Clients at once.
        users: Users that they belong to.
        seconds: How long they ask.
        workers: Processes of the server.
        seed: Seed of what they do.
    """

    db: Path
    model: str
    clients: int
    users: int
    seconds: float
    workers: int
    seed: int


def over_http(task: Task, advance: Advance) -> dict[str, Any]:
    """Put the load on a server, which has processes of its own."""
    with closing(OpenFile(task.db, task.model)) as file:
        tokens = [Tokens(file).add(mark, "default") for mark in _marks(task)]
    with _serving(task) as (process, url):
        figures = _figures(*_load(task, lambda user: OverHttp(url, tokens[user]), advance))
        figures["server_memory_bytes"] = _proportional_bytes(process.pid)
    return figures


def in_process(task: Task, advance: Advance) -> dict[str, Any]:
    """Put the load on memories that share a file in this process."""
    with closing(OpenFile(task.db, task.model)) as file:
        memories = [CompressiveMemory(file, user=mark) for mark in _marks(task)]
        figures = _figures(*_load(task, lambda user: InProcess(memories[user]), advance))
    figures["peak_memory_bytes"] = peak_bytes()
    return figures


def _marks(task: Task) -> list[str]:
    return [f"zq{task.seed}u{user}x" for user in range(task.users)]


def _load(task: Task, door: Callable[[int], Door], advance: Advance) -> tuple[Seen, float]:
    stock, marks = demo_texts(), _marks(task)
    clients = []
    for number in range(task.clients):
        user = number % task.users
        others = [mark for mark in marks if mark != marks[user]]
        clients.append(
            Client(door(user), marks[user], others, f"session {number}", stock, task.seed + number)
        )
    return run_all(clients, task.seconds, advance)


def _figures(seen: Seen, passed: float) -> dict[str, Any]:
    requests = sum(map(len, seen.times_ms.values()))
    return {
        "seconds": round(passed, 1),
        "requests": requests,
        "requests_per_s": round(requests / passed, 1),
        "acknowledged": seen.acknowledged,
        "lost": seen.lost,
        "crossed": seen.crossed,
        "errors": dict(sorted(seen.errors.items())),
        "verbs": {
            verb: {"requests": len(times), **spread(times)}
            for verb, times in sorted(seen.times_ms.items())
        },
    }


@contextmanager
def _serving(task: Task) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command: Sequence[str] = [
        *(sys.executable, "-m", "r3mem_agents", "serve", "--db", str(task.db), "--port", "0"),
        *("--model", task.model, "--workers", str(task.workers), "--rate", RATE),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://\S+", process.stdout.readline())
            if found is None:
                raise BenchmarkError("the server did not begin; see above")
            yield process, found[0]
        finally:
            process.send_signal(signal.SIGTERM)


def _proportional_bytes(pid: int) -> int | None:
    """Memory of a process and its children, in which what they share counts once."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        return None
    total = 0
    for one in (pid, *children.read_text().split()):
        rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        total += 1024 * int(re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[0])
    return total
