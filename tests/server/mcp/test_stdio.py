"""``r3mem mcp`` as a process: what a host says and hears, and how it ends."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client
from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    JSONRPCError,
    TextContent,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from r3mem_agents import CompressiveMemory, StoredTurn
from r3mem_agents.server.mcp.unreadable import answered
from tests.server.mcp.calling import call, command, use_every_tool
from tests.server.mcp.host import Host

DOG = {"text": "My dog is called Biscuit.", "name": "Alice"}


def whole(db: Path, checkpoint: Path) -> list[StoredTurn]:
    """What a file holds, if every turn of it is as it was written."""
    with CompressiveMemory(db, model=checkpoint) as memory:
        report = memory.verify()
        assert report.ok, report
        return memory.history()


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_all_of_it_from_a_client(tmp_path: Path, checkpoint: Path, mode: str) -> None:
    db = tmp_path / "memory.db"
    server = command(checkpoint, db, "--user", "alice", "--session", "today")
    async with Client(server, mode=mode) as client:
        [first, second] = (await call(client, "remember", turns=[DOG, DOG]))["turns"]
        assert first["session"] == "today"
        await use_every_tool(client, [DOG["text"]] * 2, second["id"])
        [message] = (await client.get_prompt("use_memory", {"question": "My dog?"})).messages
        assert isinstance(message.content, TextContent)
    with CompressiveMemory(db, user="alice", model=checkpoint) as memory:
        assert [turn.id for turn in memory.history()] == [first["id"]]


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9).filter(str.strip)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_what_a_client_stores_comes_back_as_it_was(
    tmp_path: Path, checkpoint: Path, mode: str
) -> None:
    server = command(checkpoint, tmp_path / "memory.db")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(server, mode=mode)) as client,
    ):

        def ask(tool: str, **arguments: object) -> dict[str, list[dict[str, object]]]:
            told: dict[str, list[dict[str, object]]] = portal.call(
                lambda: call(client, tool, **arguments)
            )
            return told

        @settings(max_examples=25)
        @given(
            text=st.text(st.characters(codec="utf-8")),
            name=NAMES,
            session=NAMES,
            metadata=st.dictionaries(NAMES, JSON, min_size=1, max_size=3),
        )
        def holds(text: str, name: str, session: str, metadata: dict[str, object]) -> None:
            said = {"text": text, "name": name, "metadata": metadata, "role": "user"}
            [place] = ask("remember", turns=[said], session=session)["turns"]
            [turn] = ask("history", session=session, limit=1)["turns"]
            assert turn == said | place | {"session": session}

        holds()


def by_eof(host: Host) -> None:
    assert host.process.stdin is not None
    host.process.stdin.close()


def by_sigterm(host: Host) -> None:
    host.process.send_signal(signal.SIGTERM)


def by_sigint(host: Host) -> None:
    host.process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("ended", [by_eof, by_sigterm, by_sigint])
def test_it_ends_in_order(tmp_path: Path, checkpoint: Path, ended: Callable[[Host], None]) -> None:
    """Nothing is lost, the file is closed, and what was edited is not in it any more."""
    db = tmp_path / "memory.db"
    with Host.of(checkpoint, db) as host:
        host.call("remember", turns=[DOG | {"key": "dog"}])
        with closing(sqlite3.connect(db)) as file:
            [(old,)] = file.execute("SELECT code FROM turns").fetchall()
        host.call("remember", turns=[DOG | {"key": "dog", "text": "My dog is called Miso."}])
        ended(host)
        assert host.process.wait() == 0
        assert host.process.stdout is not None
        assert host.process.stdout.read() == b""
    assert [path.name for path in tmp_path.iterdir()] == ["memory.db"]
    assert old not in db.read_bytes()
    assert [turn.text for turn in whole(db, checkpoint)] == ["My dog is called Miso."]


def test_a_signal_before_the_greetings_ends_it(tmp_path: Path, checkpoint: Path) -> None:
    with Host(["-m", "r3mem_agents", "mcp", "--db", str(tmp_path / "a.db")], checkpoint) as host:
        assert host.answer(host.ask("ping", {}))["result"] == {}
        by_sigterm(host)
        assert host.end() == (0, b"")


def test_nothing_but_the_protocol_is_on_stdout(tmp_path: Path, checkpoint: Path) -> None:
    """Whatever runs in the process prints, in a call and up to its end."""
    code = f"""
import ctypes, logging, sys, warnings
from r3mem_agents import CompressiveMemory
from r3mem_agents.server.mcp import serve_stdio

def memory():
    print("printed")
    print("printed and left in the buffer", end="")
    sys.stdout.write("written")
    ctypes.CDLL(None).puts(b"printed by C")
    warnings.warn("warned")
    logging.getLogger("any").error("logged")
    return CompressiveMemory({str(tmp_path / "memory.db")!r})

serve_stdio(memory)
print("printed at the end")
"""
    with Host(["-W", "always", "-c", code], checkpoint) as host:
        host.greet()
        host.call("remember", turns=[DOG])
        host.call("history")
        rest, errors = host.process.communicate()
        assert rest == b""
    assert all(line["jsonrpc"] == "2.0" for line in host.lines)
    for printed in (
        b"printed",
        b"left in the buffer",
        b"by C",
        b"warned",
        b"logged",
        b"at the end",
    ):
        assert printed in errors


HALF = '{"jsonrpc": "2.0", "id": 90, "method": "tools/call", "params": {"name": "\\ud83d"}}'
LISTED = '{"jsonrpc": "2.0", "id": "91", "method": "ping", "params": [1]}'


@pytest.mark.parametrize(
    ("line", "id", "code"),
    [
        (b"hello", None, PARSE_ERROR),
        (b"\xff\xfe", None, PARSE_ERROR),
        (b"[" * 5000, None, PARSE_ERROR),
        (HALF.encode(), 90, PARSE_ERROR),
        (LISTED.encode(), "91", INVALID_REQUEST),
        (b"[]", None, INVALID_REQUEST),
        (b'{"jsonrpc": "2.0"}', None, INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 5, "answer": true}', None, INVALID_REQUEST),
    ],
)
async def test_what_cannot_be_read_is_answered(
    line: bytes, id: str | int | None, code: int
) -> None:
    with pytest.raises(ValidationError) as caught:
        jsonrpc_message_adapter.validate_json(line.decode(errors="replace"), by_name=False)
    told: list[SessionMessage] = []

    async def host() -> AsyncIterator[Exception]:
        yield caught.value

    async def tell(message: SessionMessage) -> None:
        told.append(message)

    async with answered(host(), tell) as messages:
        assert [one async for one in messages] == []
    [one] = told
    assert isinstance(one.message, JSONRPCError)
    assert (one.message.id, one.message.error.code) == (id, code)


def test_a_host_that_sends_half_a_character_is_told(tmp_path: Path, checkpoint: Path) -> None:
    with Host.of(checkpoint, tmp_path / "memory.db") as host:
        assert host.process.stdin is not None
        host.process.stdin.write(b"\n hello\n" + HALF.encode() + b"\n")
        host.process.stdin.flush()
        assert "surrogate" in host.answer(90)["error"]["message"]
        host.call("remember", turns=[DOG])
        assert [line["id"] for line in host.lines if "error" in line] == [None, 90]
        assert host.end() == (0, b"")


def test_a_file_that_cannot_be_opened_is_told_to_the_client(
    tmp_path: Path, checkpoint: Path
) -> None:
    db = tmp_path / "memory.db"
    db.write_bytes(b"not a memory" * 1000)
    with Host.of(checkpoint, db) as host:
        result = host.answer(host.ask_tool("recall", query="x"))["result"]
        assert result["isError"]
        assert result["content"][0]["text"].startswith("StoreCorruptError: ")
        db.unlink()
        host.call("remember", turns=[DOG])  # and it need not be started again
        assert host.end()[0] == 0


def test_a_damaged_turn_is_named_to_the_client(tmp_path: Path, checkpoint: Path) -> None:
    db = tmp_path / "memory.db"
    with CompressiveMemory(db, model=checkpoint) as memory:
        turns = [memory.remember("user", f"My dog is called Biscuit {i}.") for i in range(3)]
    with closing(sqlite3.connect(db)) as file, file:
        file.execute("UPDATE turns SET code = zeroblob(9) WHERE id = ?", (turns[1].id,))
    with Host.of(checkpoint, db) as host:
        for _ in range(2):
            result = host.answer(host.ask_tool("history"))["result"]
            kept = [turn["id"] for turn in result["structuredContent"]["turns"]]
            assert kept == [turns[0].id, turns[2].id]
            [_, told] = result["content"]
            assert told["text"].startswith("DamageWarning: ")
            assert f"turn {turns[1].id} in session" in told["text"]
        whole = host.answer(host.ask_tool("remember", turns=[DOG]))["result"]
        assert len(whole["content"]) == 1
        assert host.end() == (0, b"")


def test_two_servers_share_a_file(tmp_path: Path, checkpoint: Path) -> None:
    db = tmp_path / "memory.db"
    with Host.of(checkpoint, db) as one, Host.of(checkpoint, db) as other:
        asked = [
            (host, host.ask_tool("remember", turns=[{"text": f"{host is one} {i}"}]))
            for i in range(20)
            for host in (one, other)
        ]
        for host, id in asked:
            assert not host.answer(id)["result"]["isError"]
        assert len(one.call("history", limit=100)["turns"]) == 40
        assert one.call("history", limit=100) == other.call("history", limit=100)
        assert one.end()[0] == other.end()[0] == 0
    assert len(whole(db, checkpoint)) == 40


@pytest.mark.parametrize("how", ["kills the server", "leaves"])
def test_what_was_acknowledged_is_there_and_nothing_half_written(
    tmp_path: Path, checkpoint: Path, how: str
) -> None:
    db = tmp_path / "memory.db"
    batches = [[{"text": f"{i} {j} {'word ' * 40}"} for j in range(10)] for i in range(8)]
    with Host.of(checkpoint, db) as host:
        ids = [host.ask_tool("remember", turns=batch) for batch in batches]
        for id in ids[:3]:
            host.answer(id)
        if how == "leaves":
            by_eof(host)
            host.process.wait()
        else:
            host.process.kill()
            host.process.wait()
        assert host.process.stdout is not None
        rest = [json.loads(line) for line in host.process.stdout if line.endswith(b"\n")]
    answered = {line["id"] for line in [*host.lines, *rest] if "result" in line} & {*ids}
    texts = [turn.text for turn in whole(db, checkpoint)]
    kept = {i for i, batch in enumerate(batches) if batch[0]["text"] in texts}
    assert {ids.index(id) for id in answered} <= kept
    assert sorted(texts) == sorted(turn["text"] for i in kept for turn in batches[i])
