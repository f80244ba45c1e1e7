"""How tracing is switched on and off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.model import ReversibleModel
from r3mem_agents.telemetry.spans import Method, Spans
from r3mem_agents.telemetry.verbs import PARTS, VERBS

_lock = threading.Lock()
_replaced: list[tuple[type, str, Method]] = []


def instrument(
    *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> None:
    """Leave a span for every call of a verb of any memory, from now on.

    A second call does nothing.

    Args:
        tracer_provider: Where spans go; ``None`` means the provider of the process.
        meter_provider: Where the durations of calls go, likewise.
    """
    with _lock:
        if _replaced:
            return
        spans = Spans(tracer_provider, meter_provider)
        for name, verb in VERBS.items():
            _replace(CompressiveMemory, name, partial(spans.verb, verb))
        for name in PARTS:
            _replace(ReversibleModel, name, spans.part)


def uninstrument() -> None:
    """Put every verb back as it was before ``instrument``."""
    with _lock:
        while _replaced:
            setattr(*_replaced.pop())


def _replace(owner: type, name: str, wrapped: Callable[[Method], Method]) -> None:
    # In the class that defines the method, so that its subclasses follow.
    where = next(each for each in owner.__mro__ if name in vars(each))
    method = vars(where)[name]
    _replaced.append((where, name, method))
    setattr(where, name, wrapped(method))


class Instrumentor:
    """Switches tracing on for ``opentelemetry-instrument``, which finds it by its entry point."""

    def instrument(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        **_: Any,
    ) -> None:
        """Do what the function ``instrument`` does; other options mean nothing here."""
        instrument(tracer_provider=tracer_provider, meter_provider=meter_provider)

    def uninstrument(self, **_: Any) -> None:
        """Do what the function ``uninstrument`` does."""
        uninstrument()
