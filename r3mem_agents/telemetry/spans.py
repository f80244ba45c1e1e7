"""Methods that leave a span for each call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider, get_tracer

import r3mem_agents
from r3mem_agents.memory import CompressiveMemory
from r3mem_agents.model import ReversibleModel
from r3mem_agents.telemetry.content import question, records, wanted
from r3mem_agents.telemetry.verbs import Verb
from r3mem_agents.types import StoredTurn

Method = Callable[..., Any]

OPERATION = "gen_ai.operation.name"
STORE_ID = "gen_ai.memory.store.id"
RECORD_ID = "gen_ai.memory.record.id"
RECORD_COUNT = "gen_ai.memory.record.count"
QUERY_TEXT = "gen_ai.memory.query.text"
RECORDS = "gen_ai.memory.records"
ERROR_TYPE = "error.type"
VERB = "r3mem.verb"
TEXTS = "r3mem.texts"

DURATION = "gen_ai.client.operation.duration"
DURATION_BOUNDS_S = [0.01 * 2**power for power in range(14)]
"""Those of the conventions."""


class Spans:
    """Wraps methods, with one tracer and one meter."""

    def __init__(
        self, tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None
    ) -> None:
        """Get a tracer and a meter.

        Args:
            tracer_provider: Where spans go; ``None`` means the provider of the process.
            meter_provider: Where durations go, likewise.
        """
        name, version = r3mem_agents.__name__, r3mem_agents.__version__
        self._tracer = get_tracer(name, version, tracer_provider)
        self._duration = get_meter(name, version, meter_provider).create_histogram(
            DURATION,
            unit="s",
            description="Duration of operations on a memory",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDS_S,
        )
        self._content = wanted()

    def verb(self, verb: Verb, method: Method) -> Method:
        """Return a verb of a memory that leaves a span, and its duration, for each call."""
        name = method.__name__

        @functools.wraps(method)
        def traced(memory: CompressiveMemory, /, *args: Any, **options: Any) -> Any:
            operation = verb.operation_of(options)
            with self._span(operation, {OPERATION: operation, VERB: name}, timed=True) as span:
                span.set_attribute(STORE_ID, _store_id(memory))
                if self._content and verb.asks:
                    span.set_attribute(QUERY_TEXT, question(args, options))
                result = method(memory, *args, **options)
                if verb.count is not None:
                    span.set_attribute(RECORD_COUNT, verb.count(result))
                if isinstance(result, StoredTurn):
                    span.set_attribute(RECORD_ID, str(result.id))
                if self._content and (found := records(result)):
                    span.set_attribute(RECORDS, found)
                return result

        return traced

    def part(self, method: Method) -> Method:
        """Return a method of a model that leaves a span for each call."""
        name = f"r3mem.{method.__name__}"

        @functools.wraps(method)
        def traced(model: ReversibleModel, /, *args: Any, **options: Any) -> Any:
            texts = {TEXTS: len(args[0])} if args and isinstance(args[0], Sized) else {}
            with self._span(name, texts):
                return method(model, *args, **options)

        return traced

    @contextmanager
    def _span(
        self, name: str, attributes: Mapping[str, str | int], *, timed: bool = False
    ) -> Iterator[Span]:
        failed: dict[str, str] = {}
        started = perf_counter()
        with self._tracer.start_as_current_span(
            name,
            kind=SpanKind.INTERNAL,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                failed = {ERROR_TYPE: type(error).__qualname__}  # its message may hold words
                span.set_attributes(failed)
                span.set_status(StatusCode.ERROR)
                raise
            finally:
                if timed:
                    self._duration.record(perf_counter() - started, {OPERATION: name, **failed})


def _store_id(memory: CompressiveMemory) -> str:
    # Neither its path, which may hold a name, nor its secret.
    return memory._handle.obfuscator.digest("telemetry", "store").hex()
