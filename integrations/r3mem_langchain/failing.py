"""What happens when a memory cannot be read or written in the middle of an answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

OnError = Literal["raise", "log"]
"""Let the host see the error, or write it to the log ``r3mem_langchain`` and go on without."""

logger = logging.getLogger("r3mem_langchain")


@contextmanager
def tolerated(on_error: OnError, what: str) -> Iterator[None]:
    """Raise or log what goes wrong inside.

    Args:
        on_error: Which of the two.
        what: For the log: what was tried.
    """
    try:
        yield
    except Exception:
        if on_error == "raise":
            raise
        logger.exception("%s failed; the answer goes on without", what)
