"""A call of a verb leaves one span, of the form that the conventions have for memory."""

from __future__ import annotations

import asyncio
import inspect
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from r3mem_agents import CompressiveMemory, ReversibleModel, Turn
from r3mem_agents.telemetry.verbs import VERBS
from tests.telemetry.calls import CALLS
from tests.telemetry.conftest import Recorded

NOT_TRACED = {"scoped", "close"}
"""They do nothing with turns."""

WORDS = "Biscuit barks"


def said(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_every_verb_has_a_span() -> None:
    public = {
        name
        for name, member in inspect.getmembers(CompressiveMemory, inspect.isfunction)
        if not (name.startswith("_") or inspect.iscoroutinefunction(member))
    }
    assert public == {*VERBS} | NOT_TRACED
    assert {*CALLS} == {*VERBS}


def test_the_page_has_the_operation_of_every_verb() -> None:
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| `(\w+_memory\w*)`", page, re.MULTILINE)
    told = {verb: name for verbs, name in rows for verb in re.findall(r"\w+", verbs)}
    assert told == {verb: each.operation for verb, each in VERBS.items()}


@pytest.mark.parametrize("twin", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("verb", CALLS)
def test_a_call_is_one_span_below_that_of_its_caller(
    verb: str, twin: bool, tmp_path: Path, fake: Any, recorded: Recorded
) -> None:
    with CompressiveMemory(tmp_path / "memory.db", model=fake) as memory:
        memory.remember("user", WORDS, session=WORDS)
        recorded.spans()

        class Twins:
            """The verbs by their async twins."""

            location = memory.location

            def __getattr__(self, name: str) -> Any:
                later = getattr(memory, f"a{name}")
                return lambda *args, **options: asyncio.run(later(*args, **options))

        called: Any = Twins() if twin else memory
        with recorded.tracers.get_tracer("test").start_as_current_span("caller") as caller:
            CALLS[verb].works(called, WORDS)
        span, _ = recorded.spans()
    assert span.parent == caller.get_span_context()
    assert span.name == said(span)["gen_ai.operation.name"] == VERBS[verb].operation
    assert span.kind is SpanKind.INTERNAL
    assert span.status.status_code is StatusCode.UNSET
    assert said(span)["r3mem.verb"] == verb
    assert "error.type" not in said(span)


@pytest.mark.parametrize("verb", CALLS)
def test_an_error_is_named_and_raised(
    verb: str, tmp_path: Path, fake: Any, recorded: Recorded
) -> None:
    with CompressiveMemory(tmp_path / "memory.db", model=fake) as memory:
        memory.remember("user", WORDS, session=WORDS)
        recorded.spans()
        with pytest.raises(Exception) as caught:
            CALLS[verb].fails(memory, WORDS)
    span = recorded.span()
    assert span.status.status_code is StatusCode.ERROR
    assert said(span)["error.type"] == caught.type.__qualname__
    assert not span.events


def test_how_many_turns_and_which(memory: CompressiveMemory, recorded: Recorded) -> None:
    turn = memory.remember("user", "My dog is called Biscuit.")
    assert said(recorded.span())["gen_ai.memory.record.id"] == str(turn.id)
    calls: list[Callable[[], list[Any]]] = [
        lambda: memory.remember_many([Turn(role="user", text="Good dog!")] * 2),
        lambda: memory.recall("What is the dog called?"),
        lambda: memory.fetch(turn_ids=[turn.id]),
        memory.summary,
        memory.history,
        memory.turn_ids,
    ]
    for call in calls:
        found = call()
        assert said(recorded.span())["gen_ai.memory.record.count"] == len(found) > 0
    memory.forget(session="default")
    assert said(recorded.span())["gen_ai.memory.record.count"] == 3
    memory.context("Is that so?")
    assert "gen_ai.memory.record.count" not in said(recorded.span())


def test_a_write_with_a_key_may_be_an_edit(memory: CompressiveMemory, recorded: Recorded) -> None:
    memory.remember("user", "One.")
    memory.remember("user", "Two.", key="k")
    memory.remember_many([])
    names = [span.name for span in recorded.spans()]
    assert names == ["create_memory", "upsert_memory", "upsert_memory"]


def test_a_file_has_one_id_and_no_other_file_has_it(
    tmp_path: Path, fake: Any, recorded: Recorded
) -> None:
    def id_of(name: str, user: str) -> Any:
        with CompressiveMemory(tmp_path / name, user=user, model=fake) as memory:
            memory.stats()
        return said(recorded.span())["gen_ai.memory.store.id"]

    first = id_of("one.db", "alice")
    assert first == id_of("one.db", "bob") != id_of("two.db", "alice")


def test_durations_by_operation_and_error(memory: CompressiveMemory, recorded: Recorded) -> None:
    memory.history()
    memory.recall("dog")
    memory.stats()
    with pytest.raises(LookupError):
        memory.history("nowhere")
    found = {
        (tags["gen_ai.operation.name"], tags.get("error.type")): point.count
        for tags, point in recorded.durations()
    }
    assert found == {
        ("search_memory", None): 2,
        ("describe_memory_store", None): 1,
        ("search_memory", "NotFoundError"): 1,
    }
    bounds = recorded.durations()[0][1].explicit_bounds
    assert (bounds[0], bounds[-1], len(bounds)) == (0.01, 81.92, 14)


def test_the_parts_of_a_verb_are_spans_below_it(model: ReversibleModel, recorded: Recorded) -> None:
    with CompressiveMemory(":memory:", model=model) as memory:
        memory.remember("user", "My dog is called Biscuit.")
        compressed, expanded, wrote = recorded.spans()
        memory.history()
        expanded_again, read = recorded.spans()
        memory.recall("What is my dog called?")
        question, looked_up = recorded.spans()
    assert [compressed.name, expanded.name] == ["r3mem.compress", "r3mem.expand"]
    assert expanded_again.name == "r3mem.expand"
    assert question.name == "r3mem.questions"
    assert said(compressed) == said(expanded_again) == {"r3mem.texts": 1}
    for part, whole in [
        (compressed, wrote),
        (expanded, wrote),
        (expanded_again, read),
        (question, looked_up),
    ]:
        assert part.parent == whole.context


async def test_callers_at_once_have_their_own(
    memory: CompressiveMemory, recorded: Recorded
) -> None:
    tracer = recorded.tracers.get_tracer("test")

    async def caller(number: int) -> None:
        with tracer.start_as_current_span(f"caller {number}"):
            await memory.aremember("user", f"Number {number}.")
            await memory.arecall("number", k=number)

    await asyncio.gather(*(caller(number) for number in range(1, 9)))
    spans = recorded.spans()
    callers = {span.context.span_id for span in spans if span.name.startswith("caller")}
    calls = [span.parent.span_id for span in spans if span.parent is not None]
    assert sorted(calls) == sorted([*callers, *callers])


async def test_a_call_that_nobody_awaits_any_more_is_recorded_when_it_ends(
    memory: CompressiveMemory, recorded: Recorded
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def count(_: str) -> int:
        begun.set()
        go_on.wait()
        return 1

    memory.remember("user", "My dog is called Biscuit.")
    recorded.spans()
    task = asyncio.create_task(memory.acontext("What is the dog called?", count=count))
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not recorded.spans()
    go_on.set()
    while not (spans := recorded.spans()):
        await asyncio.sleep(0.001)
    assert spans[0].status.status_code is StatusCode.UNSET
