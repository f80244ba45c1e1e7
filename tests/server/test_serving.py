"""A server as a process: how it begins, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from r3mem_agents import CompressiveMemory
from tests.server.running import Server, add_token, r3mem, serving

TURNS = {"turns": [{"role": "user", "text": f"turn {number}"} for number in range(3)]}


@contextmanager
def begun(server: Server, body: bytes) -> Iterator[socket.socket]:
    """A request to store turns that the server has begun with: it has asked for the body."""
    address = server.url.removeprefix("http://")
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(
            f"POST /v1/turns HTTP/1.1\r\nHost: {address}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert connection.recv(99).startswith(b"HTTP/1.1 100 ")
        yield connection


@pytest.mark.parametrize(
    ("workers", "how"), [("1", signal.SIGTERM), ("1", signal.SIGINT), ("2", signal.SIGTERM)]
)
def test_what_runs_is_answered_before_the_end(
    tmp_path: Path, checkpoint: Path, workers: str, how: signal.Signals
) -> None:
    db = tmp_path / "memory.db"
    body = json.dumps(TURNS).encode()
    with serving(db, checkpoint, "--workers", workers) as server:
        with begun(server, body) as connection:
            connection.sendall(body[:9])
            server.process.send_signal(how)
            connection.sendall(body[9:])
            answer = connection.makefile("rb").read()
        assert server.process.wait(60) == 0
        assert server.log() == ""
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert not db.with_name("memory.db-wal").exists()
    with CompressiveMemory(db, model=checkpoint) as memory:
        assert len(memory.history()) == len(TURNS["turns"])


SOON_OVER = (
    "from r3mem_agents.server import workers; workers.GRACE_S = 1; "
    "from r3mem_agents.cli import app; app()"
)


def test_a_client_that_never_sends_the_rest_does_not_keep_it_from_ending(
    tmp_path: Path, checkpoint: Path
) -> None:
    db = tmp_path / "memory.db"
    with serving(db, checkpoint, program=("-c", SOON_OVER)) as server:
        with server.client() as client:
            client.post("/v1/turns", json=TURNS)
        with begun(server, b"{}") as stalled:
            stalled.sendall(b"{")
            assert server.stop() == 0
        assert "Traceback" not in server.log()
    assert not db.with_name("memory.db-wal").exists()


def test_a_worker_that_dies_is_replaced(tmp_path: Path, checkpoint: Path) -> None:
    with serving(tmp_path / "memory.db", checkpoint, "--workers", "2") as server:
        with server.client() as client:
            client.post("/v1/turns", json=TURNS)
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        workers = [
            int(one)
            for one in children.read_text().split()
            if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()
        ]
        assert len(workers) == 2
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        with server.client() as client:
            assert len(client.get("/v1/turns").json()["turns"]) == len(TURNS["turns"])
        assert server.stop() == 0
        assert len(re.findall(r"WARNING .*: worker .* another begins\n", server.log())) == 2


def test_workers_end_with_the_server_that_is_killed(tmp_path: Path, checkpoint: Path) -> None:
    with serving(tmp_path / "memory.db", checkpoint, "--workers", "2") as server:
        with server.client() as client:
            assert client.get("/v1/me").status_code == 200
        server.stop(signal.SIGKILL)
        host, _, port = server.url.removeprefix("http://").partition(":")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_server((host, int(port))).close()
                return
            except OSError:
                time.sleep(0.1)
    pytest.fail("the port is still taken")


def test_two_servers_share_a_file(tmp_path: Path, checkpoint: Path) -> None:
    db = tmp_path / "memory.db"
    with serving(db, checkpoint) as one:
        os.rename(db.with_suffix(".log"), tmp_path / "one.log")
        with serving(db, checkpoint) as other, one.client() as first, other.client() as second:
            for number, client in enumerate((first, second, first, second)):
                turn = {"role": "user", "text": f"turn {number}"}
                assert client.post("/v1/turns", json={"turns": [turn]}).status_code == 201
            assert first.get("/v1/turns").json() == second.get("/v1/turns").json()
            assert len(first.get("/v1/turns").json()["turns"]) == 4


def test_a_port_in_use_is_named(tmp_path: Path, checkpoint: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        done = r3mem(checkpoint, "serve", "--db", str(tmp_path / "a.db"), "--port", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: another program listens at port {port} of 127.0.0.1")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_beyond_this_machine_tokens_are_needed(tmp_path: Path, checkpoint: Path, host: str) -> None:
    db = tmp_path / "a.db"
    done = r3mem(checkpoint, "serve", "--db", str(db), "--host", host, "--port", "0")
    assert done.returncode == 1
    assert "has no tokens" in done.stderr
    assert not [*tmp_path.iterdir()]
    token = add_token(db, checkpoint, "alice")
    with serving(db, checkpoint, "--host", "0.0.0.0") as server:
        server.url = server.url.replace("0.0.0.0", "127.0.0.1")
        with server.client(token) as client:
            assert client.get("/v1/me").json()["user"] == "alice"
        with server.client() as client:
            assert client.get("/v1/me").status_code == 401


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--host", "203.0.113.7"), "no address of this machine"),
        (("--host", "no such host"), "there is no address"),
        (("--rate", "often"), "is no rate"),
        (("--model", "no-such-model"), "no-such-model"),
    ],
)
def test_what_cannot_be_served_is_named(
    tmp_path: Path, checkpoint: Path, options: tuple[str, str], message: str
) -> None:
    db = tmp_path / "a.db"
    add_token(db, checkpoint, "alice")
    done = r3mem(checkpoint, "serve", "--db", str(db), "--port", "0", *options)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_first_token_ends_that_requests_choose_their_user(
    tmp_path: Path, checkpoint: Path
) -> None:
    db = tmp_path / "a.db"
    with serving(db, checkpoint) as server, server.client() as client:
        assert client.get("/v1/me?user=alice").json()["users"] is True
        token = add_token(db, checkpoint, "alice")
        assert client.get("/v1/me?user=alice").status_code == 401
        with server.client(token) as alice:
            assert alice.get("/v1/me?user=bob").json()["user"] == "alice"
