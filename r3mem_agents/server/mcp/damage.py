"""What was left out of an answer since it is damaged: a client is told, not only a log."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from r3mem_agents.errors import DamageWarning
from r3mem_agents.server.failures import LOG

_of_call: ContextVar[list[str] | None] = ContextVar("_of_call", default=None)


@contextmanager
def damage_collected() -> Iterator[None]:
    """Until this ends, hand warnings of damage to the call that they come from, and to the log."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", DamageWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            told = _of_call.get()
            if told is None or not issubclass(category, DamageWarning):
                others(message, category, *rest, **more)
            elif str(message) not in told:
                told.append(str(message))
                LOG.warning("%s", message)

        warnings.showwarning = show
        yield


@contextmanager
def damage_of_call() -> Iterator[list[str]]:
    """Collect what is said of damage in a call, also in the threads that it waits for."""
    told: list[str] = []
    before = _of_call.set(told)
    try:
        yield told
    finally:
        _of_call.reset(before)
