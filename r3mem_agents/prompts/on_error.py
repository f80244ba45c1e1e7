"""Errors of a memory in the middle of an answer: raised, or logged and survived."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import Logger
from typing import Literal

OnError = Literal["raise", "log"]
"""Let the host see the error, or write it to the adapter's log and answer without a memory."""


@contextmanager
def raise_or_log(on_error: OnError, logger: Logger, what: str) -> Iterator[None]:
    """Raise an error from inside the block, or log it and go on after the block.

    Args:
        on_error: ``"raise"`` or ``"log"``.
        logger: The adapter's logger.
        what: The log's message: what was not done.
    """
    try:
        yield
    except Exception:
        if on_error == "raise":
            raise
        logger.exception("%s", what)
