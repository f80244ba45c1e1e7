"""``r3mem serve`` as a process of its own, and clients of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

ROOT = Path(__file__).parents[2]


def environment(checkpoint: Path) -> dict[str, str]:
    """Of processes that use the tiny model."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path, "R3MEM_MODEL": str(checkpoint)}


def client_of(url: str, token: str | None = None) -> httpx.Client:
    """Return a client of a server."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=url, headers=headers, timeout=60)


@dataclass
class Server:
    """A server that runs.

    Attributes:
        url: Where it is.
        process: It.
        errors: What it writes to stderr.
    """

    url: str
    process: subprocess.Popen[str]
    errors: IO[str]

    def client(self, token: str | None = None) -> httpx.Client:
        """Return a client with a token."""
        return client_of(self.url, token)

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(how)
        return self.process.wait(60)

    def log(self) -> str:
        """Return what it wrote to stderr."""
        self.errors.seek(0)
        return self.errors.read()


@contextmanager
def serving(
    db: Path,
    checkpoint: Path,
    *options: str,
    program: tuple[str, ...] = ("-m", "r3mem_agents"),
) -> Iterator[Server]:
    """Serve a file at any free port of this machine."""
    command = [sys.executable, *program, "serve", "--db", str(db), "--port", "0"]
    with db.with_suffix(".log").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(checkpoint),
        )
        assert process.stdout is not None
        try:
            found = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
            assert found, db.with_suffix(".log").read_text()
            yield Server(found[0], process, errors)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(60)
            process.stdout.close()


def r3mem(checkpoint: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "r3mem_agents", *arguments],
        capture_output=True,
        text=True,
        env=environment(checkpoint),
        timeout=60,
    )


def add_token(db: Path, checkpoint: Path, *arguments: str) -> str:
    """Make a token and return it."""
    done = r3mem(checkpoint, "token", "add", *arguments, "--db", str(db), "--json")
    made: dict[str, Any] = json.loads(done.stdout)
    return str(made["token"])
