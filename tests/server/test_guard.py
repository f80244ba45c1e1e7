"""What is refused before anything is read."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from r3mem_agents.errors import ForbiddenError, TooManyRequestsError
from r3mem_agents.server.auth import check_source
from r3mem_agents.server.limits import Rates
from r3mem_agents.server.paths import is_private
from tests.server.running import Server, add_token, serving

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_BODY = 4 * 1024 * 1024


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:7373", "127.0.0.1:1", "[::1]:7373"])
def test_own_names_are_served(host: str) -> None:
    check_source(host, None, LOOPBACK)
    check_source(host, f"http://{host}", LOOPBACK)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("", None),
        ("evil.example", None),
        ("evil.example:7373", "http://evil.example:7373"),
        ("localhost.evil.example", None),
        ("127.0.0.1.nip.io:7373", None),
        ("[::1", None),
        ("evil.example@localhost.", None),
        ("localhost:7373", "http://evil.example"),
        ("localhost:7373", "http://localhost:3000"),
        ("localhost:7373", "null"),
        ("localhost:7373", ""),
        ("localhost:7373", "http://[::1"),
    ],
)
def test_what_is_foreign_is_not(host: str, origin: str | None) -> None:
    with pytest.raises(ForbiddenError):
        check_source(host, origin, LOOPBACK)


def test_where_any_name_is_served_a_page_must_still_be_the_server_s() -> None:
    check_source("memory.example", "https://memory.example", frozenset())
    with pytest.raises(ForbiddenError):
        check_source("memory.example", "https://evil.example", frozenset())


def test_every_path_with_a_memory_behind_it_is_private() -> None:
    paths = ("/v1", "/v1/", "/v1/me", "/mcp", "/mcp/", "/mcp\n")
    assert all(map(is_private, paths))
    assert not any(map(is_private, ("/", "/health", "/openapi.json", "/v1x", "/page/app.js")))


def test_a_foreign_request_changes_nothing(local: Server) -> None:
    turns = {"turns": [{"role": "user", "text": "planted"}]}
    with local.client() as client:
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            answer = client.post("/v1/turns", json=turns, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["error"]["name"] == "ForbiddenError"
        assert client.get("/v1/turns").json()["turns"] == []


@pytest.mark.parametrize("told", [True, False], ids=["length told", "chunked"])
def test_a_request_of_100_mb_is_refused_by_name(local: Server, told: bool) -> None:
    size = 100 * 1024 * 1024
    pieces = itertools.repeat(b"x" * 65536, size // 65536)
    headers = {"Content-Type": "application/json"} | ({"Content-Length": str(size)} if told else {})
    with local.client() as client:
        answer = client.post("/v1/turns", content=pieces, headers=headers)
        assert answer.status_code == 413
        assert answer.json()["error"]["name"] == "RequestTooLargeError"
        assert client.get("/v1/me").status_code == 200
    status = Path(f"/proc/{local.process.pid}/status").read_text()
    [peak] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    assert int(peak) < 250_000  # kB, with the model


def test_a_client_that_leaves_writes_nothing(local: Server) -> None:
    body = json.dumps({"turns": [{"role": "user", "text": "half"}]}).encode()
    address = local.url.removeprefix("http://")
    host, _, port = address.partition(":")
    head = (
        f"POST /v1/turns HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    for part in (head[:-3], head, head + body[:10], head + body[:-1]):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(part)
    with local.client() as client:
        assert client.get("/v1/turns").json()["turns"] == []
        assert client.post("/v1/turns", content=body, headers={"Content-Type": "application/json"})
    assert "Traceback" not in local.log()


@pytest.fixture
def limited(tmp_path: Path, checkpoint: Path) -> Iterator[tuple[Server, list[str]]]:
    """A server that answers each of two tokens five times an hour."""
    db = tmp_path / "team.db"
    tokens = [add_token(db, checkpoint, user) for user in ("alice", "bob")]
    with serving(db, checkpoint, "--rate", "5/hour") as server:
        yield server, tokens


def test_too_many_requests_of_one_do_not_disturb_another(
    limited: tuple[Server, list[str]],
) -> None:
    server, tokens = limited

    def statuses(token: str | None, times: int) -> list[int]:
        with server.client(token) as client:
            return [client.get("/v1/me").status_code for _ in range(times)]

    assert statuses(tokens[0], 7) == [200] * 5 + [429] * 2
    assert statuses("wrong", 4) + statuses(None, 3) == [401] * 5 + [429] * 2
    assert statuses(tokens[1], 1) == [200]
    with server.client(tokens[0]) as client:
        answer = client.get("/v1/me")
        assert answer.json()["error"]["name"] == "TooManyRequestsError"
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        assert client.get("/health").json()["status"] == "ok"


async def test_names_with_slashes_are_counted_apart() -> None:
    rates = Rates("1/hour")
    await rates.count("alice/x", "y")
    await rates.count("alice", "x/y")
    with pytest.raises(TooManyRequestsError):
        await rates.count("alice", "x/y")


def test_only_a_whole_token_opens_a_memory(tmp_path: Path, checkpoint: Path) -> None:
    db = tmp_path / "team.db"
    token = add_token(db, checkpoint, "alice")
    wrong = ["", "Bearer", f"Basic {token}", token, f"Bearer {token}x", f"Bearer {token[:-1]}"]
    with serving(db, checkpoint) as server:
        assert httpx.get(f"{server.url}/openapi.json").status_code == 200
        for authorization in wrong:
            header = {"Authorization": authorization}
            answer = httpx.get(f"{server.url}/v1/me", headers=header)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.json()["error"]["name"] == "UnauthorizedError"
            assert token not in answer.text
