from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_langchain import R3Store
from tests.memory.fake_model import FakeModel


@pytest.fixture
def store() -> Iterator[R3Store]:
    fake: Any = FakeModel()
    with CompressiveMemory(":memory:", model=fake) as memory:
        yield R3Store(memory)
