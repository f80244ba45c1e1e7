from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from r3mem_agents import CompressiveMemory, telemetry
from tests.memory.fake_model import FakeModel


class Recorded:
    """What the SDK of OpenTelemetry was told.

    Attributes:
        tracers: Makes spans that are recorded too.
    """

    def __init__(self) -> None:
        self._spans, self._metrics = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self._meters = MeterProvider(metric_readers=[self._metrics])

    def switch_on(self) -> None:
        telemetry.instrument(tracer_provider=self.tracers, meter_provider=self._meters)

    def spans(self) -> list[ReadableSpan]:
        """Those that ended since the last call, in that order."""
        found = list(self._spans.get_finished_spans())
        self._spans.clear()
        return found

    def span(self) -> ReadableSpan:
        """The only one."""
        (found,) = self.spans()
        return found

    def durations(self) -> list[tuple[dict[str, Any], Any]]:
        """Attributes of each series of the durations, and the point."""
        data = self._metrics.get_metrics_data()
        return [
            (dict(point.attributes or {}), point)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
            if metric.name == "gen_ai.client.operation.duration" and metric.unit == "s"
        ]

    def everything(self) -> str:
        """All that an exporter would send, as text."""
        data = self._metrics.get_metrics_data()
        return "".join(span.to_json() for span in self.spans()) + (data.to_json() if data else "")

    def close(self) -> None:
        self.tracers.shutdown()
        self._meters.shutdown()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """Tracing is on."""
    one = Recorded()
    one.switch_on()
    yield one
    telemetry.uninstrument()
    one.close()


@pytest.fixture
def fake() -> Any:
    """A model that needs no torch, and is none whose methods have spans."""
    return FakeModel()


@pytest.fixture
def memory(fake: Any) -> Iterator[CompressiveMemory]:
    with CompressiveMemory(":memory:", user="alice", model=fake) as one:
        yield one
