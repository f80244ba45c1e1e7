"""Requests as they go over the wire: what is odd about them gets an error of ours, or nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.server.running import Server, add_token, serving

MB = 1 << 20


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    """A connection."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def head(server: Server, method: str, path: str, *headers: str) -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {server.url.removeprefix('http://')}", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.fixture(scope="module")
def team(
    tmp_path_factory: pytest.TempPathFactory, checkpoint: Path
) -> Iterator[tuple[Server, list[str]]]:
    """A server of two users, and their tokens."""
    db = tmp_path_factory.mktemp("team") / "team.db"
    tokens = [add_token(db, checkpoint, user) for user in ("alice", "bob")]
    with serving(db, checkpoint) as server:
        yield server, tokens


def test_two_tokens_in_a_request_open_nothing(team: tuple[Server, list[str]]) -> None:
    server, tokens = team
    for both in (tokens, tokens[::-1], [tokens[0], "wrong"], ["wrong", tokens[0]]):
        headers = [("Authorization", f"Bearer {token}") for token in both]
        answer = httpx.get(f"{server.url}/v1/me", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["name"] == "UnauthorizedError"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_is_not_told_what_exists(local: Server, site: str) -> None:
    headers = {"Sec-Fetch-Site": site}
    with local.client() as client:
        for path in ("/v1/turns/1", "/v1/sessions", "/v1/nothing", "/mcp"):
            assert client.get(path, headers=headers).status_code == 403
        assert client.get("/", headers=headers).status_code == 200  # a link leads to the page
        for own in ("same-origin", "none"):
            assert client.get("/v1/me", headers={"Sec-Fetch-Site": own}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/recall", "POST"),
        ("HEAD", "/v1/me", "GET"),
        ("DELETE", "/v1/me", "GET"),
        ("OPTIONS", "/v1/forget", "POST"),
        ("POST", "/v1/turns/1", "GET"),
        ("POST", "/health", "GET"),
        ("POST", "/", "GET, HEAD"),
    ],
)
def test_another_method_is_named(local: Server, method: str, path: str, allowed: str) -> None:
    with local.client() as client:
        answer = client.request(method, path)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == allowed
        assert method == "HEAD" or answer.json()["error"]["name"] == "InvalidInputError"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    "path", ["/v1/remember", "/v1/me/", "/v1", "/v1/turns/1/x", "/v1/js/app.js"]
)
def test_what_is_not_there_is_named(local: Server, method: str, path: str) -> None:
    with local.client() as client:
        answer = client.request(method, path)
        assert answer.status_code == 404
        assert answer.json()["error"]["name"] == "NotFoundError"


def test_bodies_that_nobody_wants_are_not_kept(local: Server) -> None:
    def memory() -> int:
        [line] = [
            line
            for line in Path(f"/proc/{local.process.pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        ]
        return int(line.split()[1]) * 1024

    with ExitStack() as stack:
        before = memory()
        for _ in range(40):
            connection = stack.enter_context(connected(local))
            connection.settimeout(0.2)
            connection.sendall(head(local, "PUT", "/health", f"Content-Length: {4 * MB}"))
            with suppress(OSError):  # it may be answered before
                connection.sendall(b"x" * (4 * MB - 1))
        assert memory() - before < 40 * MB


def test_an_idle_crowd_keeps_nobody_waiting(local: Server) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(connected(local)) for _ in range(300)]
        for place, one in enumerate(crowd):
            if place % 2:
                one.sendall(head(local, "GET", "/v1/me")[:-4])
        with local.client() as client:
            assert client.get("/v1/me").status_code == 200


def test_who_leaves_in_the_middle_of_an_answer_is_not_logged(local: Server) -> None:
    with local.client() as client:
        turns = [{"role": "user", "text": "word " * 2000}] * 100
        client.post("/v1/turns", json={"turns": turns}, params={"user": "long"})
    for _ in range(10):
        with connected(local) as connection:
            connection.sendall(head(local, "GET", "/v1/turns?user=long"))
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    time.sleep(0.2)
    with local.client() as client:
        assert client.get("/v1/me").status_code == 200
    assert "Traceback" not in local.log()
