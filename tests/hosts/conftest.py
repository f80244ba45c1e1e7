from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model of a host is to be reached."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a memory are made where nobody else looks."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def _event_loop() -> Iterator[None]:
    """A loop for runs without ``await``, for which hosts would make one and leave it open."""
    with closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        yield
        asyncio.set_event_loop(None)


@pytest.fixture
def memory(own_folder: None, request: pytest.FixtureRequest) -> Iterator[CompressiveMemory]:
    """Alice's, or that of the ``USER`` of a module, in a file that other processes find."""
    user = getattr(request.module, "USER", "alice")
    with CompressiveMemory("memory.db", user=user) as memory:
        yield memory
