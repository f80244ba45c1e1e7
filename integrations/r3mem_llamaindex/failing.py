"""What happens when a memory cannot be written or read: as configured, it is raised or logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from r3mem_agents.errors import R3MemError

OnError = Literal["raise", "log"]

logger = logging.getLogger("r3mem_llamaindex")


@contextmanager
def failing(on_error: OnError, what: str) -> Iterator[None]:
    """Let errors of the memory through, or log them and go on after the block."""
    try:
        yield
    except R3MemError:
        if on_error == "raise":
            raise
        logger.exception("%s", what)
