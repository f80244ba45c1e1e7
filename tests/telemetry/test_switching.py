"""Tracing costs nothing while it is off, and leaves nothing behind."""

from __future__ import annotations

import importlib
import inspect
import tomllib
from pathlib import Path
from typing import Any

from opentelemetry import trace

from r3mem_agents import CompressiveMemory, ReversibleModel, telemetry
from tests.new_process import loaded, run
from tests.telemetry.conftest import Recorded

ROOT = Path(__file__).parents[2]


def everything() -> dict[tuple[type, str], object]:
    """What the classes are made of, their bases too."""
    return {
        (owner, name): member
        for one in (CompressiveMemory, ReversibleModel)
        for owner in one.__mro__
        for name, member in vars(owner).items()
    }


def test_off_is_as_if_there_were_no_tracing(recorded: Recorded, memory: CompressiveMemory) -> None:
    on = everything()
    telemetry.uninstrument()
    off = everything()
    assert off.keys() == on.keys()
    assert off != on
    memory.stats()
    assert not recorded.spans()
    for _ in range(2):
        recorded.switch_on()
        recorded.switch_on()
        memory.stats()
        assert len(recorded.spans()) == 1
        for _ in range(2):
            telemetry.uninstrument()
            assert everything() == off


def test_a_verb_looks_the_same(recorded: Recorded) -> None:
    traced = CompressiveMemory.recall
    telemetry.uninstrument()
    assert traced is not CompressiveMemory.recall
    assert inspect.signature(traced) == inspect.signature(CompressiveMemory.recall)
    assert traced.__doc__ == CompressiveMemory.recall.__doc__


def test_classes_made_before_and_after_are_traced(fake: Any) -> None:
    class Before(CompressiveMemory):
        pass

    recorded = Recorded()
    recorded.switch_on()
    try:

        class After(CompressiveMemory):
            def stats(self) -> Any:
                return super().stats()

        for kind in (Before, After):
            with kind(":memory:", model=fake) as memory:
                memory.stats()
                memory.scoped(user="bob").stats()
            assert [span.name for span in recorded.spans()] == ["describe_memory_store"] * 2
    finally:
        telemetry.uninstrument()
        recorded.close()


def test_without_an_sdk_verbs_work(memory: CompressiveMemory) -> None:
    telemetry.instrument(tracer_provider=trace.NoOpTracerProvider())
    try:
        turn = memory.remember("user", "My dog is called Biscuit.")
        assert memory.history() == [turn]
    finally:
        telemetry.uninstrument()


def test_nobody_loads_it_unasked() -> None:
    code = (
        "from r3mem_agents import CompressiveMemory\n"
        "with CompressiveMemory(':memory:') as memory:\n"
        "    memory.remember('user', 'My dog is called Biscuit.')\n"
        "    memory.recall('dog')"
    )
    assert not loaded(code, ["opentelemetry", "r3mem_agents.telemetry"])


def test_the_extra_is_named_where_it_is_missing() -> None:
    code = (
        "from r3mem_agents import MissingExtraError\n"
        "try:\n"
        "    import r3mem_agents.telemetry\n"
        "except MissingExtraError as error:\n"
        "    print(error)"
    )
    assert "r3mem-agents[otel]" in run(code, without=["opentelemetry"])


def test_opentelemetry_instrument_finds_it(memory: CompressiveMemory) -> None:
    """As its loader does: the entry point is called, and what it returns is told to instrument."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, target),) = project["entry-points"]["opentelemetry_instrumentor"].items()
    module, _, member = target.partition(":")
    instrumentor = getattr(importlib.import_module(module), member)()
    recorded = Recorded()
    instrumentor.instrument(skip_dep_check=True, tracer_provider=recorded.tracers)
    try:
        memory.stats()
        assert len(recorded.spans()) == 1
    finally:
        instrumentor.uninstrument()
        recorded.close()
    assert name == "r3mem_agents"
