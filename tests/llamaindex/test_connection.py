"""A memory named in public fields: written as JSON, copied, pickled, opened again elsewhere."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.errors import InvalidInputError, ModelMismatchError, StoreUnavailableError
from r3mem_llamaindex import R3Memory, R3MemoryBlock, R3Retriever
from r3mem_llamaindex._connection import Connected
from tests.llamaindex.conftest import TINY

Again = Callable[[Connected], Connected]

COPIES: dict[str, Again] = {
    "JSON": lambda connected: Connected.model_validate_json(connected.model_dump_json()),
    "deep copy": copy.deepcopy,
    "model copy": lambda connected: connected.model_copy(deep=True),
    "pickle": lambda connected: pickle.loads(pickle.dumps(connected)),
}


@pytest.fixture(params=COPIES)
def again(request: pytest.FixtureRequest) -> Again:
    return COPIES[request.param]


def test_every_copy_opens_the_same_memory(where: dict[str, Any], again: Again) -> None:
    connected = Connected(**where, user="alice")
    before = again(connected)  # before it was opened, and after
    turn = connected.memory.remember("user", "Hello.")
    after = again(connected)
    assert before == after == connected
    assert before.memory.history() == after.memory.history() == [turn]
    assert before.memory.user == "alice"


def test_nothing_is_opened_before_it_is_needed(where: dict[str, Any], tmp_path: Path) -> None:
    connected = Connected(**where)
    copy.deepcopy(connected), connected.model_dump_json()
    assert not list(tmp_path.iterdir())
    assert connected.memory is connected.memory
    assert (tmp_path / "memory.db").exists()


def test_a_path_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for store in ("memory.db", Path("memory.db")):
        assert Connected(store=store).store == str(tmp_path / "memory.db")  # type: ignore[arg-type]
    assert Connected().store == str(tmp_path / "r3mem.db")
    url = f"sqlite:///{tmp_path}/memory.db"
    assert Connected(store=url).store == url


def test_a_changed_user_reads_nothing_of_the_one_before(where: dict[str, Any]) -> None:
    connected = Connected(**where, user="alice")
    connected.memory.remember("user", "A secret.")
    connected.user = "bob"
    assert connected.memory.history() == []
    assert connected.memory.user == "bob"


def test_an_open_memory_is_taken_over(memory: CompressiveMemory, again: Again) -> None:
    connected = Connected.from_memory(memory)
    assert connected.memory is memory
    assert (connected.user, connected.agent, connected.store) == (
        memory.user,
        memory.agent,
        memory.location,
    )


@pytest.mark.parametrize("adapter", [Connected, R3Memory, R3MemoryBlock, R3Retriever])
@pytest.mark.parametrize("location", ["memory.db", ":memory:"])
def test_an_open_memory_is_taken_over_for_the_user_who_is_named(
    tmp_path: Path, adapter: Any, location: str
) -> None:
    where = tmp_path / location if location == "memory.db" else location
    with CompressiveMemory(where, user="owner", model=TINY) as memory:
        memory.remember("user", "A secret of the owner's.")
        taken = adapter.from_memory(memory, user="bob", agent="helper").memory
        assert (taken.user, taken.agent) == ("bob", "helper")
        assert taken.history() == []
        taken.remember("user", "Bob's.")
        assert len(memory.history()) == 1
        assert len(memory.scoped(user="bob", agent="helper").history()) == 1
        with pytest.raises(InvalidInputError, match="store"):
            adapter.from_memory(memory, store="other.db")
        with pytest.raises(ValueError, match="at least 1 character"):
            adapter.from_memory(memory, user="")


def test_a_checkpoint_that_a_copy_cannot_find_is_named(where: dict[str, Any]) -> None:
    with CompressiveMemory(where["store"], model=TINY) as memory:
        dumped = Connected.from_memory(memory).model_dump()
        with pytest.raises(ModelMismatchError, match="model=PATH"):
            Connected(**dumped).memory  # noqa: B018
        assert Connected(**dumped | {"model": TINY}).memory.history() == []
        known = Connected.from_memory(memory, model=TINY).model_dump()
        assert Connected(**known).memory.history() == []


def test_a_memory_without_a_file_lives_with_its_copies(again: Again) -> None:
    connected = Connected(store=":memory:", model=TINY)
    turn = connected.memory.remember("user", "Only here.")
    other = Connected(store=":memory:", model=TINY)
    assert other.memory.history() == []
    copied = again(connected)
    assert copied.memory.history() == [turn]
    dumped = connected.model_dump()
    shared = Connected.from_memory(copied.memory)
    assert again(shared).memory.history() == [turn]
    with pytest.raises(StoreUnavailableError, match="no file"):
        Connected(**dumped | {"user": "bob"}).memory  # noqa: B018
    del connected, copied, shared
    gc.collect()
    with pytest.raises(StoreUnavailableError, match="no file"):
        Connected(**dumped).memory  # noqa: B018
