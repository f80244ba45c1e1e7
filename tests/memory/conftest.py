from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.memory.fake_model import FakeModel


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a memory may be; no file is there yet."""
    return tmp_path / "memory.db"


@pytest.fixture
def fake() -> Any:
    """A model that needs no torch, and whose gists are alike where texts share words."""
    return FakeModel()
