from __future__ import annotations

import pytest

from r3mem_agents import ReversibleModel


@pytest.fixture(scope="package")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, model: ReversibleModel) -> str:
    """Folder of the tiny model, for processes of their own."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(path)
    return str(path)
