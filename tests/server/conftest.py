from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.running import Server, serving


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
