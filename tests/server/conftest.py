from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from r3mem_agents.testing import tiny_model
from tests.server.running import Server, serving


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny"
    tiny_model().save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path) -> Iterator[Server]:
    """A server of a file without tokens, for all tests of a module."""
    with serving(tmp_path_factory.mktemp("local") / "memory.db", checkpoint) as server:
        yield server


@pytest.fixture
def client(local: Server, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client of that server, as a user of its own."""
    with local.client() as client:
        client.params = httpx.QueryParams(user=request.node.name)
        yield client
