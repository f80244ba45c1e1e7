"""What happens when a memory cannot be read or written in the middle of an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import Logger
from typing import Literal

OnError = Literal["raise", "log"]
"""Let the host see the error, or write it to the adapter's log and answer without."""


@contextmanager
def raise_or_log(on_error: OnError, logger: Logger, what: str) -> Iterator[None]:
    """Raise what goes wrong inside, or log it and go on after the block.

    Args:
        on_error: Which of the two.
        logger: The adapter's.
        what: For the log: what was not done.
    """
    try:
        yield
    except Exception:
        if on_error == "raise":
            raise
        logger.exception("%s", what)
