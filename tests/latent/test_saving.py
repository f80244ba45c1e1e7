"""Adapters that are saved over older ones, stopped on the way, and copied."""

from __future__ import annotations

import copy
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from r3mem_agents.errors import CheckpointError
from r3mem_agents.latent import LatentMemory
from r3mem_agents.latent.adapter import SIZES
from tests.latent.families import base, memory_on, tokenizer

SAID = "It rained in Lisbon on every day of that week."


def _more(memory: LatentMemory) -> LatentMemory:
    """The same after it learned more, in each of its files."""
    with torch.no_grad():
        for parameter in memory.adapter.parameters():
            parameter.add_(0.1)
    return memory


def _loaded(folder: Path) -> LatentMemory:
    return LatentMemory.from_base(base("llama"), folder, tokenizer=tokenizer())


def test_an_adapter_that_was_saved_in_part_is_the_old_one_or_is_named(tmp_path: Path) -> None:
    memory = memory_on("llama")
    old, new, mixed = (tmp_path / name for name in ("old", "new", "mixed"))
    memory.save(old)
    before = memory.fingerprint
    _more(memory).save(new)
    files = sorted((path.name for path in new.iterdir()), key=lambda name: name == SIZES)
    outcomes = []
    for count in range(len(files) + 1):
        shutil.copytree(old, mixed)
        for name in files[:count]:
            shutil.copy(new / name, mixed / name)
        try:
            outcomes.append(_loaded(mixed).fingerprint)
        except CheckpointError as error:
            assert "not of one saving" in str(error)
            outcomes.append("named")
        shutil.rmtree(mixed)
    assert outcomes[0] == before
    assert outcomes[-1] == memory.fingerprint
    assert {*outcomes} == {before, memory.fingerprint, "named"}


def test_a_saving_that_fails_leaves_the_old_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = memory_on("llama")
    memory.save(tmp_path)
    before, names = memory.fingerprint, {path.name for path in tmp_path.iterdir()}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("r3mem_agents.latent.adapter.save_file", full)
    with pytest.raises(CheckpointError, match="No space left"):
        _more(memory).save(tmp_path)
    monkeypatch.undo()
    assert {path.name for path in tmp_path.iterdir()} == names
    assert _loaded(tmp_path).fingerprint == before
    (tmp_path / ".saving").mkdir()  # of one that was killed
    memory.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names
    assert _loaded(tmp_path).fingerprint == memory.fingerprint


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_a_memory_of_its_own(copied: Callable[[LatentMemory], LatentMemory]) -> None:
    memory = memory_on("llama")
    state, before = memory.compress(SAID), memory.fingerprint
    other = copied(memory)
    assert other.fingerprint == before
    assert torch.equal(other.read(state, SAID), memory.read(state, SAID))
    _more(other)
    assert other.fingerprint != before == memory.fingerprint
