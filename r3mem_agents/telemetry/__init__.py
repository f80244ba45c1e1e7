"""Traces of a memory: an OpenTelemetry span for every call of a verb, by ``instrument``.

The spans follow OpenTelemetry's conventions for generative AI, whose names for memory are still in
development. Nothing in them is a word of what was said or asked, or a name, unless
``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` asks for content.
"""

from importlib.util import find_spec

from r3mem_agents.errors import MissingExtraError

if find_spec("opentelemetry") is None:
    raise MissingExtraError("opentelemetry-api", "otel")

from r3mem_agents.telemetry.instrumentation import Instrumentor, instrument, uninstrument

__all__ = ["Instrumentor", "instrument", "uninstrument"]
