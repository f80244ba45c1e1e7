"""The tools that every host's tools are made of; see tests/langchain/test_tools.py for more."""

from __future__ import annotations

import inspect
from typing import get_type_hints

import pytest

from r3mem_agents.errors import InvalidInputError, NotFoundError
from r3mem_agents.prompts import memory_tools, place_of
from tests.conftest import OpenMemory


def test_a_host_finds_in_them_what_a_model_is_to_be_told(open_memory: OpenMemory) -> None:
    memory = open_memory()
    tools = memory_tools(lambda: place_of(memory, user=None, session=None))
    assert [tool.__name__ for tool in tools] == ["remember", "recall", "forget", "pin"]
    for tool in tools:
        hints = get_type_hints(tool, include_extras=True)
        assert tool.__doc__
        assert "\n" not in tool.__doc__
        assert all(hints[name].__metadata__[0] for name in inspect.signature(tool).parameters)


def test_each_call_is_done_where_its_run_is(open_memory: OpenMemory) -> None:
    memory, at = open_memory(), ["alice", "one"]
    remember, recall, forget, pin = memory_tools(
        lambda: place_of(memory, user=at[0], session=at[1], recall_from="session")
    )
    assert remember("The cat is called Tom.") == "Remembered as turn 1."
    for at[0], at[1] in (("bob", "one"), ("alice", "two")):
        assert recall("cat") == "Nothing relevant was found in memory."
        with pytest.raises(NotFoundError, match="no turn 1"):
            forget([1])
        with pytest.raises(NotFoundError, match="no turn 1"):
            pin([1])
    at[:] = ["alice", "one"]
    assert "Tom" in recall("cat")
    assert forget([1]) == "Forgot 1 turns."


def test_a_call_that_is_repeated_remembers_once(open_memory: OpenMemory) -> None:
    memory = open_memory()
    place = place_of(memory, user=None, session=None)
    remember, *_ = memory_tools(lambda: place, call=lambda: "call-1")
    assert remember("Once.") == remember("Once.")
    assert remember("Twice.") != remember("Once.")


def test_a_model_is_told_of_its_own_mistakes_only(open_memory: OpenMemory) -> None:
    memory = open_memory()

    class Mistake(Exception):
        pass

    tools = memory_tools(lambda: place_of(memory, user=None, session=None), mistake=Mistake)
    nobody = memory_tools(lambda: place_of(memory, user="", session=None), mistake=Mistake)
    for tool, asked in zip(tools, ["\ud800", "\ud800", [7], [7]], strict=True):
        with pytest.raises(Mistake):
            tool(asked)
    for tool, asked in zip(nobody, ["Mine.", "Mine?", [7], [7]], strict=True):
        with pytest.raises(InvalidInputError, match="user is empty"):
            tool(asked)


def test_what_no_lookup_would_take_is_refused(open_memory: OpenMemory) -> None:
    place = place_of(open_memory(), user=None, session=None)
    with pytest.raises(InvalidInputError, match="k"):
        memory_tools(lambda: place, k=0)
    with pytest.raises(InvalidInputError, match="where"):
        memory_tools(lambda: place, where={"nothing": 1})
