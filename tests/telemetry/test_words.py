"""No word of what was said or asked, and no name, is in a trace; unless it is asked for."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from r3mem_agents import CompressiveMemory, telemetry
from tests.memory.fake_model import FakeModel
from tests.telemetry.calls import CALLS
from tests.telemetry.conftest import Recorded

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

WORDS = st.text(st.characters(min_codepoint=0xC0, categories=["L", "N"]), min_size=4, max_size=40)
"""Nobody else's, and fit for the name of a file."""


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS)
def test_nothing_that_was_said_is_recorded(words: str, recorded: Recorded) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{words}.db"
        model: Any = FakeModel()
        with CompressiveMemory(path, user=words, agent=words, session=words, model=model) as memory:
            for call in CALLS.values():
                memory.remember("user", words, session=words)
                with suppress(Exception):
                    call.fails(memory, words)
                call.works(memory, words)
    sent = recorded.everything()
    assert sent.count("search_memory") > 4
    assert sent.count("error.type") >= len(CALLS)
    assert words not in sent
    assert json.dumps(words)[1:-1] not in sent


def test_a_traced_error_still_says_what_it_did(
    memory: CompressiveMemory, recorded: Recorded
) -> None:
    with pytest.raises(LookupError, match="'Monday'"):
        memory.history("Monday")


def content(recorded: Recorded) -> list[dict[str, Any]]:
    """What was captured, by span."""
    return [
        {
            name.removeprefix("gen_ai.memory."): (
                json.loads(str(value)) if "records" in name else value
            )
            for name, value in (span.attributes or {}).items()
            if name in ("gen_ai.memory.query.text", "gen_ai.memory.records")
        }
        for span in recorded.spans()
    ]


@pytest.mark.parametrize("value", ["true", "SPAN_ONLY", "span_and_event"])
def test_content_on_request(
    value: str, fake: Any, memory: CompressiveMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURE, value)
    recorded = Recorded()
    recorded.switch_on()
    try:
        turn = memory.remember("user", "Mein Hund heißt Keks.", metadata={"by": "phone"})
        (hit,) = memory.recall("Hund?")
        prompt = memory.context(query="Hund?")
        memory.stats()
        with pytest.raises(ValueError, match="surrogate"):
            memory.recall("\ud800")
    finally:
        telemetry.uninstrument()
        recorded.close()
    record = {"id": str(turn.id), "content": turn.text, "metadata": {"by": "phone"}}
    assert content(recorded) == [
        {"records": [record]},
        {"query.text": "Hund?", "records": [{**record, "score": hit.score}]},
        {"query.text": "Hund?", "records": [{"content": prompt}]},
        {},
        {"query.text": "?"},
    ]


@pytest.mark.parametrize("value", ["", "false", "no_content", "event_only", "1"])
def test_no_content_by_other_values(
    value: str, memory: CompressiveMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPTURE, value)
    recorded = Recorded()
    recorded.switch_on()
    try:
        memory.remember("user", "My dog is called Biscuit.")
        memory.recall("dog")
    finally:
        telemetry.uninstrument()
        recorded.close()
    assert content(recorded) == [{}, {}]
