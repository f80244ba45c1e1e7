"""Logs of Claude Code and Codex."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from r3mem_agents import CompressiveMemory
from r3mem_agents.connect.captured import without_captured
from r3mem_agents.connect.transcript import last_answer
from r3mem_agents.errors import InvalidInputError
from r3mem_agents.imports.recognizing import find

TIME = "2026-02-03T04:05:06.789Z"


def _lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def said(kind: str, id_: str, content: Any, message: str | None = None, **more: Any) -> Any:
    """A line of Claude Code's."""
    return {
        "type": kind,
        "uuid": id_,
        "sessionId": "s1",
        "timestamp": TIME,
        "isSidechain": False,
        "message": {"role": kind, "content": content} | ({"id": message} if message else {}),
    } | more


def block(kind: str, words: str) -> list[dict[str, str]]:
    """A content of one block."""
    return [{"type": kind, "text": words}]


CLAUDE_CODE = _lines(
    {"type": "file-history-snapshot", "messageId": "h1", "snapshot": {}},
    said("user", "u1", "<command-name>/clear</command-name>"),
    said("user", "u2", "Fix the test."),
    said("assistant", "u3", [{"type": "thinking", "thinking": "Hm"}], "a1"),
    said("assistant", "u4", block("text", "I look."), "a1"),
    said("assistant", "u5", [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}], "a1"),
    said("user", "u6", [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]),
    said("assistant", "u7", block("text", "Do this."), "a9", isSidechain=True),
    said("assistant", "u8", block("text", "It is"), "a2"),
    said("assistant", "u9", block("text", "fixed."), "a2"),
)


def test_a_log_of_claude_code_is_what_was_said() -> None:
    found = find("s1.jsonl", CLAUDE_CODE)
    assert found.kind == "Claude Code"
    turns = [entry.turn for entry in found.entries]
    assert [(turn.key, turn.role, turn.text) for turn in turns] == [
        ("u2", "user", "Fix the test."),
        ("u4", "assistant", "I look."),
        ("u8", "assistant", "It is\nfixed."),
    ]
    assert {turn.session for turn in turns} == {"claude-code/s1"}
    assert found.skipped == {
        "lines that hold no message": 1,
        "notices": 1,
        "thoughts, tool calls and results": 3,
        "messages of subagents": 1,
    }


@pytest.mark.parametrize(
    "first",
    [
        {"type": "summary", "summary": "Tests", "leafUuid": "u8"},
        {"type": "queue-operation", "operation": "enqueue", "sessionId": "s1"},
    ],
)
def test_a_log_may_begin_with_any_line_of_the_program(first: dict[str, Any]) -> None:
    found = find("s1.jsonl", _lines(first) + CLAUDE_CODE)
    assert found.entries == find("s1.jsonl", CLAUDE_CODE).entries


def test_its_last_answer_is_the_one_that_hooks_read(tmp_path: Path) -> None:
    (tmp_path / "s1.jsonl").write_bytes(CLAUDE_CODE)
    last = find("s1.jsonl", CLAUDE_CODE).entries[-1].turn
    assert last_answer(tmp_path / "s1.jsonl") == last.text


def test_a_line_that_is_being_written_is_left_for_later() -> None:
    more = said("user", "u10", "Grüße 👋" * 9)
    log = CLAUDE_CODE + json.dumps(more, ensure_ascii=False).encode()
    for cut in range(1, 90):
        found = find("x", log[:-cut])
        assert [one.turn.key for one in found.entries] == ["u2", "u4", "u8"]
        assert found.skipped == find("x", CLAUDE_CODE).skipped


def test_a_line_that_was_cut_off_is_counted() -> None:
    broken = (b"\0" * 64, b'{"type": "user", "mess', "Grüße".encode("cp1252"), b"[" * 100_000)
    for line in broken:
        for log in (CLAUDE_CODE, codex()):
            first, rest = log.split(b"\n", 1)
            found = find("x", first + b"\n" + line + b"\n" + rest)
            assert found.entries == find("x", log).entries
            skipped = find("x", log).skipped
            assert sum(found.skipped.values()) == sum(skipped.values()) + 1


def test_what_the_program_adds_is_no_speech_and_what_stands_beside_it_is() -> None:
    added = [
        *block("text", "<ide_opened_file>a.py</ide_opened_file>"),
        *block("text", "Rename it."),
    ]
    log = _lines(
        said("user", "u1", "Go on."),
        {"type": "system", "sessionId": "s1", "subtype": "init"},
        said("user", "u1", "Go on."),  # as Claude Desktop writes the first question
        said("user", "u2", "[Request interrupted by user for tool use]"),
        said("user", "u3", "<bash-input>ls</bash-input>"),
        said("user", "u4", added),
        said("assistant", "u5", block("text", "API Error: 500"), isApiErrorMessage=True),
        said("assistant", "u6", block("text", "Copied."), forkedFrom={"sessionId": "s0"}),
        said("user", "u7", "Why?", isMeta=False),
    )
    found = find("s1.jsonl", log)
    assert [entry.turn.text for entry in found.entries] == ["Go on.", "Rename it.", "Why?"]
    assert found.skipped == {
        "lines that hold no message": 1,
        "notices": 3,
        "messages of the session that another one began with": 1,
    }


@pytest.mark.parametrize(("captured", "left"), [([], 3), ([0], 2), ([0, 1, 2], 0), ([0, 0], 2)])
def test_what_hooks_remembered_is_left_out(tmp_path: Path, captured: list[int], left: int) -> None:
    found = find("s1.jsonl", CLAUDE_CODE)
    with CompressiveMemory(tmp_path / "m.db", session="s1") as memory:
        for number, place in enumerate(captured):
            turn = found.entries[place].turn
            memory.remember(turn.role, turn.text, key=f"hook-{number}")
        rest = without_captured(memory, found)
        other = find("s1.jsonl", CLAUDE_CODE.replace(b'"s1"', b'"s2"'))
        assert without_captured(memory, other) == other
    assert len(rest.entries) == left
    assert sum(rest.skipped.values()) + left == sum(found.skipped.values()) + 3


def record(kind: str, /, **payload: Any) -> dict[str, Any]:
    """A line of Codex's."""
    return {"timestamp": TIME, "type": kind, "payload": payload}


def codex(*, events: bool = True) -> bytes:
    """A log of Codex."""
    records = [
        record("session_meta", id="r1", cwd="/home", cli_version="0.65.0"),
        record(
            "response_item",
            type="message",
            role="user",
            content=block("input_text", "<environment_context>x</environment_context>"),
        ),
        record("response_item", type="message", role="user", content=block("input_text", "2+2?")),
        record("event_msg", type="user_message", message="2+2?", kind="plain"),
        record("turn_context", model="gpt"),
        record("response_item", type="reasoning", summary=[], encrypted_content="x"),
        record("response_item", type="function_call", name="shell", arguments="{}", call_id="c"),
        record("event_msg", type="agent_message", message="4"),
        record(
            "response_item", type="message", role="assistant", content=block("output_text", "4")
        ),
    ]
    return _lines(*(one for one in records if events or one["type"] != "event_msg"))


def test_a_log_of_codex_is_what_was_said_with_events_and_without() -> None:
    found = find("rollout.jsonl", codex())
    assert found.kind == "Codex"
    turns = [entry.turn for entry in found.entries]
    assert [(turn.role, turn.text) for turn in turns] == [("user", "2+2?"), ("assistant", "4")]
    assert {turn.session for turn in turns} == {"codex/r1"}
    older = find("rollout.jsonl", codex(events=False))
    assert older.entries == found.entries


def test_older_and_newer_logs_of_codex_say_the_same() -> None:
    """Older lines were payloads; newer ones have events of items."""
    records = [json.loads(line) for line in codex(events=False).splitlines()]
    first: dict[str, Any] = {"id": "r1", "timestamp": TIME, "instructions": None, "git": {}}
    added = block("input_text", "# AGENTS.md instructions for /home\n\nBe brief.")
    bare = [record["payload"] for record in records[1:]]
    bare.insert(0, {"type": "message", "role": "user", "content": added})
    older = find("rollout.jsonl", _lines(first, {"record_type": "state"}, *bare))
    assert older.entries == find("rollout.jsonl", codex()).entries
    shown = "# Context from my IDE setup:\n\n## My request for Codex:\n2+2?\n"
    item = {
        "type": "UserMessage",
        "id": "i1",
        "content": [{"type": "text", "text": shown.rstrip()}],
    }
    records.insert(3, record("event_msg", type="item_completed", item=item))
    newer = find("rollout.jsonl", _lines(*records))
    assert newer.entries == older.entries


def test_a_log_that_codex_packed_is_read(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    (tmp_path / "rollout-1.jsonl.zst").write_bytes(zstandard.compress(codex()))
    assert find(str(tmp_path)).entries == find("rollout.jsonl", codex()).entries
    with pytest.raises(InvalidInputError, match="damaged"):
        find("rollout.jsonl.zst", zstandard.compress(codex())[:4] + b"x" * 40)


def test_without_what_unpacks_it_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(InvalidInputError, match="pip install zstandard"):
        find("rollout.jsonl.zst", b"\x28\xb5\x2f\xfd")


def test_what_a_fork_of_codex_took_over_is_left_out(tmp_path: Path) -> None:
    meta = record("session_meta", id="r2", forked_from_id="r1")
    more = record("event_msg", type="user_message", message="3+3?")
    (tmp_path / "rollout-1.jsonl").write_bytes(codex())
    (tmp_path / "rollout-2.jsonl").write_bytes(_lines(meta) + codex() + _lines(more))
    sub = record("session_meta", id="r3", source={"subagent": "review"})
    (tmp_path / "rollout-3.jsonl").write_bytes(_lines(sub) + codex())
    found = find(str(tmp_path))
    said = [(entry.turn.session, entry.turn.text) for entry in found.entries]
    assert said == [("codex/r1", "2+2?"), ("codex/r1", "4"), ("codex/r2", "3+3?")]
    assert found.skipped["messages of the session that another one began with"] == 2
    assert found.skipped["sessions of subagents"] == 1


def test_a_folder_of_logs_is_one_import(tmp_path: Path) -> None:
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / "rollout.jsonl").write_bytes(codex())
    (tmp_path / "s1.jsonl").write_bytes(CLAUDE_CODE)
    found = find(str(tmp_path))
    assert found.kind == "Codex and Claude Code"
    assert len(found.entries) == 5
