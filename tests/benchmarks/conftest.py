from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from r3mem_agents import ReversibleModel


@pytest.fixture(scope="package")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, model: ReversibleModel) -> str:
    """Folder of the tiny model, for processes of their own."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(path)
    return str(path)


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure in this process: another one takes seconds to start, and does the same."""

    def here(work: Callable[..., Any], task: Any, advance: Any, *_: str) -> Any:
        return work(task, advance)

    monkeypatch.setattr("benchmarks.processes.run", here)
