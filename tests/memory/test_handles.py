"""A memory is a handle on a file: shared by scopes and copies, opened again from a pickle."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, StoreUnavailableError
from tests.conftest import OpenMemory


@pytest.mark.parametrize("name", ["memory.db", ":memory:"])
def test_scopes_of_one_file_are_apart(open_memory: OpenMemory, name: str) -> None:
    alice = open_memory(name, user="alice", agent="a", session="s")
    bob = alice.scoped(user="bob")
    assert (bob.user, bob.agent, bob.session) == ("bob", "a", "s")
    turn = alice.remember("user", "My dog is called Biscuit.")
    assert bob.history() == []
    assert bob.recall("What is the dog called?") == []
    assert bob.scoped(user="alice", session="t").history() == [turn]
    assert alice.scoped(agent="b").history() == []
    assert alice.scoped(session="t").remember("user", "Yes.").session == "t"
    with pytest.raises(InvalidInputError, match="user is empty"):
        alice.scoped(user="")


def test_the_handle_that_opened_the_file_closes_it(tmp_path: Path, model: Any) -> None:
    opener = CompressiveMemory(tmp_path / "m.db", user="alice", model=model)
    with opener.scoped(user="bob") as bob:
        said = bob.remember("user", "Of one request.")
        with bob.scoped(session="inner") as inner:
            inner.remember("user", "Further in.")
    bob.close()
    asyncio.run(bob.aclose())
    assert bob.history()[0] == said
    assert opener.history() == []
    opener.close()
    for handle in (opener, bob):
        with pytest.raises(StoreUnavailableError, match="closed"):
            handle.history()


def test_leaving_a_scope_by_an_error_closes_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory()
    with pytest.raises(KeyError), memory.scoped(user="bob"):
        raise KeyError
    assert memory.history() == []


def test_a_scope_keeps_the_file_open(tmp_path: Path, model: Any) -> None:
    scope = CompressiveMemory(tmp_path / "m.db", model=model).scoped(user="bob").scoped(agent="a")
    gc.collect()
    turn = scope.remember("user", "Still here.")
    scope.close()
    assert scope.history() == [turn]


def test_copies_are_the_memory(open_memory: OpenMemory) -> None:
    memory = open_memory()
    assert copy.copy(memory) is copy.deepcopy([memory])[0] is memory


def test_a_pickle_opens_the_file_again(
    tmp_path: Path, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.save_pretrained(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    with CompressiveMemory("m.db", user="alice", session="s", model="model") as memory:
        turn = memory.remember("user", "My dog is called Biscuit.")
        pickled = pickle.dumps(memory)
    monkeypatch.chdir("/")
    with pickle.loads(pickled) as again:
        assert (again.user, again.agent, again.session) == ("alice", "default", "s")
        assert again.history() == [turn]


@pytest.mark.parametrize("what", ["user", "agent", "session", "location", "model"])
def test_an_attribute_is_what_the_memory_was_opened_with(
    open_memory: OpenMemory, what: str
) -> None:
    memory = open_memory(user="alice", session="s")
    before = getattr(memory, what)
    with pytest.raises(AttributeError, match=rf"the {what} of a memory .*scoped\("):
        setattr(memory, what, "other")
    with pytest.raises(AttributeError):
        delattr(memory, what)
    assert getattr(memory, what) is before
    assert memory.remember("user", "Hello.").session == memory.session == "s"


def test_a_repr_says_which_memory_it_is(open_memory: OpenMemory, model: Any) -> None:
    memory = open_memory(user="alice", session="s")
    assert repr(memory) == (
        f"CompressiveMemory({memory.location!r}, user='alice', agent='default', session='s', "
        f"model={model.name!r})"
    )
    memory.close()
    assert "alice" in repr(memory)


def test_what_has_no_file_is_not_pickled(open_memory: OpenMemory) -> None:
    with pytest.raises(InvalidInputError, match="without a file"):
        pickle.dumps(open_memory(":memory:"))
