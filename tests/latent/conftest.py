from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from r3mem_agents.latent import LatentMemory
from tests.latent.families import FAMILIES, memory_on


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Matrices of 32 channels gain nothing from a second one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def memory(family: str) -> LatentMemory:
    """One for each family; no test changes it."""
    return memory_on(family)


@pytest.fixture(scope="session")
def llama() -> LatentMemory:
    """On Llama; no test changes it."""
    return memory_on("llama")
