from __future__ import annotations

import inspect
import threading
from contextvars import ContextVar

import pytest

from r3mem_agents.concurrency import in_thread

asked_by: ContextVar[str] = ContextVar("asked_by")


class Notes:
    def read(self, page: int, *, upper: bool = False) -> str:
        """Read a page."""
        if page < 0:
            raise ValueError(page)
        text = f"page {page} of {asked_by.get('nobody')}"
        return text.upper() if upper else text

    def where(self) -> int:
        return threading.get_ident()

    aread = in_thread(read)
    awhere = in_thread(where)


class Torn(Notes):
    def read(self, page: int, *, upper: bool = False) -> str:
        return f"no {super().read(page, upper=upper)}"


async def test_a_twin_returns_and_raises_what_its_method_does() -> None:
    assert await Notes().aread(2) == Notes().read(2)
    assert await Notes().aread(page=2, upper=True) == Notes().read(2, upper=True)
    with pytest.raises(ValueError, match="-1"):
        await Notes().aread(-1)


async def test_it_runs_in_another_thread_and_in_the_callers_context() -> None:
    assert await Notes().awhere() != threading.get_ident()
    asked_by.set("Alice")
    assert await Notes().aread(1) == "page 1 of Alice"


async def test_it_follows_overrides_of_a_class_and_of_an_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await Torn().aread(1) == Torn().read(1) != Notes().read(1)
    notes = Notes()
    monkeypatch.setattr(notes, "read", lambda page: "replaced")
    assert await notes.aread(1) == "replaced"


def test_it_has_the_signature_and_a_name_and_docstring_of_its_own() -> None:
    assert inspect.iscoroutinefunction(Notes.aread)
    assert inspect.signature(Notes.aread) == inspect.signature(Notes.read)
    assert Notes.aread.__qualname__ == "Notes.aread"
    assert Notes.aread.__doc__ == "Async twin of ``read``."
