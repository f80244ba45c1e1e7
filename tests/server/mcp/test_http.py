"""The MCP server over streamable HTTP, as a process: whose memory a request gets, and failures."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.server.mcp.calling import call, refusal, use_every_tool
from tests.server.running import add_token, environment, r3mem, serving

DOG = {"text": "My dog is called Biscuit.", "name": "Alice"}


@asynccontextmanager
async def connected(
    url: str, token: str | None = None, mode: str = "auto"
) -> AsyncIterator[Client]:
    """A client of a server, with a token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@contextmanager
def listening(db: Path, checkpoint: Path, *options: str) -> Iterator[tuple[str, Any]]:
    """``r3mem mcp --http`` at a free port, and the URL that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "r3mem_agents", "mcp", "--db", str(db), "--http", "--port", "0"]
        + [*options],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(checkpoint),
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_all_of_it_from_a_client(tmp_path: Path, checkpoint: Path, mode: str) -> None:
    options = ("--user", "alice & co", "--session", "today")
    with listening(tmp_path / "memory.db", checkpoint, *options) as (url, process):
        async with connected(url, mode=mode) as client:
            odd = DOG | {"text": "a\u2028b\x85c\r\nd\0e \U0001f436"}
            [first, second] = (await call(client, "remember", turns=[DOG, odd]))["turns"]
            assert first["session"] == "today"
            await use_every_tool(client, [DOG["text"], odd["text"]], second["id"])
            assert (await client.get_prompt("use_memory", {"question": "My dog?"})).messages
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert [path.suffix for path in tmp_path.iterdir()] == [".db"]


async def test_a_token_opens_the_memory_of_its_user(tmp_path: Path, checkpoint: Path) -> None:
    db = tmp_path / "memory.db"
    tokens = {name: add_token(db, checkpoint, name) for name in ("alice", "bob")}
    with serving(db, checkpoint, "--workers", "2") as server:
        url = f"{server.url}/mcp?user=carol"
        async with connected(url, tokens["alice"]) as alice, connected(url, tokens["bob"]) as bob:
            asked = [
                call(client, "remember", turns=[{"text": f"{name} {i}"}])
                for i in range(10)
                for name, client in (("alice", alice), ("bob", bob))
            ]
            await asyncio.gather(*asked)
            for name, client in (("alice", alice), ("bob", bob)):
                held = (await call(client, "history", limit=100))["turns"]
                assert sorted(turn["text"] for turn in held) == [f"{name} {i}" for i in range(10)]
        for wrong in (None, "r3mem_wrong"):
            with pytest.raises(ExceptionGroup) as caught:
                async with connected(url, wrong):
                    pass
            assert caught.group_contains(MCPError, match="UnauthorizedError: .*r3mem token add")


async def test_of_the_store_a_client_hears_no_path(tmp_path: Path, checkpoint: Path) -> None:
    db = tmp_path / "secret.db"
    with listening(db, checkpoint) as (url, _):
        async with connected(url) as client:
            await call(client, "remember", turns=[DOG])
            with closing(sqlite3.connect(db)) as file:
                file.execute("DROP TABLE turns")
            told = await refusal(client, "recall", query="What is my dog called?")
    assert "Error: " in told
    assert "tell who runs this server" in told
    assert "secret" not in told


def test_requests_that_are_not_for_it(tmp_path: Path, checkpoint: Path) -> None:
    with serving(tmp_path / "memory.db", checkpoint) as server:
        _refused(httpx.Request("GET", f"{server.url}/mcp"), 405)
        ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        for status, headers, body in (
            (403, {"Origin": "https://example.org"}, json.dumps(ask)),
            (403, {"Host": "example.org"}, json.dumps(ask)),
            (413, {}, "x" * (5 * 1024 * 1024)),
            (400, {}, "no JSON"),
        ):
            more = {"Content-Type": "application/json", "Accept": "application/json"}
            asked = httpx.Request("POST", f"{server.url}/mcp", headers=more | headers, content=body)
            _refused(asked, status)
        blank = httpx.post(f"{server.url}/mcp?session=%20", json=ask, headers=more, timeout=60)
        assert blank.status_code == 422
        assert blank.json()["error"]["message"].startswith("InvalidInputError: session is blank")


def _refused(request: httpx.Request, status: int) -> None:
    with httpx.Client(timeout=60) as client:
        assert client.send(request).status_code == status


async def test_a_client_that_leaves_in_mid_call_harms_nothing(
    tmp_path: Path, checkpoint: Path
) -> None:
    with listening(tmp_path / "memory.db", checkpoint) as (url, process):
        many = [{"text": f"{i} {'word ' * 200}"} for i in range(40)]
        async with connected(url) as client:
            leaving = asyncio.ensure_future(client.call_tool("remember", {"turns": many}))
            await asyncio.sleep(0.2)
            leaving.cancel()
        async with connected(url) as client:
            await call(client, "remember", turns=[DOG], session="after")
            assert (await call(client, "history", session="after"))["turns"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    done = r3mem(checkpoint, "verify", "--db", str(tmp_path / "memory.db"))
    assert done.returncode == 0
    assert re.match(r"(1|41) turns? read", done.stdout)


def test_a_port_in_use_is_named(tmp_path: Path, checkpoint: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        db = ("--db", str(tmp_path / "memory.db"))
        done = r3mem(checkpoint, "mcp", *db, "--http", "--port", port)
    assert done.returncode == 1
    assert f"another program listens at port {port} of 127.0.0.1" in done.stderr


def test_a_port_without_http_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    done = r3mem(checkpoint, "mcp", "--db", str(tmp_path / "memory.db"), "--port", "1")
    assert done.returncode == 2
    assert "--port goes with --http" in done.stderr
