"""What the fixtures of the command line tests hand out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Result(Protocol):
    exit_code: int
    stdout: str
    stdout_bytes: bytes
    stderr: str


Run = Callable[..., Result]
